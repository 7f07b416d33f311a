-- KEYS: buckets. ARGV: of each bucket tokens at most, tokens a second.
-- Takes one token of each, or of none. → the milliseconds to wait, 0 when granted; and the number
-- of the bucket that needs so long.
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local tokens, longest, slowest = {}, 0, 0
for i, key in ipairs(KEYS) do
  local most, rate = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local stored = redis.call('HMGET', key, 'tokens', 'at')
  local left = tonumber(stored[1] or '') or most
  local at = tonumber(stored[2] or '') or now
  tokens[i] = math.min(most, left + math.max(0, now - at) * rate)
  if tokens[i] < 1 then
    local wait = math.ceil((1 - tokens[i]) / rate * 1000)
    if wait > longest then
      longest, slowest = wait, i
    end
  end
end
if longest == 0 then
  for i, key in ipairs(KEYS) do
    local most, rate = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
    local left = tokens[i] - 1
    redis.call('HSET', key, 'tokens', string.format('%.6f', left), 'at', string.format('%.6f', now))
    redis.call('PEXPIRE', key, math.ceil((most - left) / rate * 1000) + 1000)
  end
end
return {longest, slowest}
