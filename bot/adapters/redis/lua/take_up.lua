-- KEYS: turns, open, progress, leases
-- ARGV: process, lease length, entries at most, shard count, then our shards.
-- Takes over entries of processes whose lease is gone. A lease that merely ran out counts as gone
-- only when ours has lasted a whole length: else Redis was away, and others could not renew.
-- → all entries of ours: {message, stream id, attempts}…
local process, length, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local count, ours = tonumber(ARGV[4]), {}
for position = 5, #ARGV do ours[tonumber(ARGV[position])] = true end
local settled_in = now - renew(KEYS[4], process, length) >= length
if redis.call('EXISTS', KEYS[1]) == 0 then return {} end

local leases = redis.call('HGETALL', KEYS[4])
for position = 1, #leases, 2 do
  local other, till = leases[position], tonumber(string.match(leases[position + 1], '%d+$') or 0)
  if other ~= process and (till == 0 or (till < now and settled_in)) then
    local left = 0
    for _, pending in ipairs(redis.call('XPENDING', KEYS[1], GROUP, '-', '+', most, other)) do
      local entry = redis.call('XRANGE', KEYS[1], pending[1], pending[1])[1]
      if not entry then
        redis.call('XACK', KEYS[1], GROUP, pending[1])
      elseif ours[tonumber(entry[2][4]) % count] then
        redis.call('XCLAIM', KEYS[1], GROUP, process, 0, pending[1],
          'RETRYCOUNT', pending[4] + 1, 'JUSTID')
      else
        left = left + 1
      end
    end
    if left == 0 then
      local rest = redis.call('XPENDING', KEYS[1], GROUP, '-', '+', 1, other)
      if #rest == 0 then
        redis.call('XGROUP', 'DELCONSUMER', KEYS[1], GROUP, other)
        redis.call('HDEL', KEYS[4], other)
      end
    end
  end
end

local found = {}
for _, pending in ipairs(redis.call('XPENDING', KEYS[1], GROUP, '-', '+', most, process)) do
  local entry = redis.call('XRANGE', KEYS[1], pending[1], pending[1])[1]
  if entry then found[#found + 1] = {entry[2][2], pending[1], pending[4]} end
end
return found
