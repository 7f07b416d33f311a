-- ARGV: lifetime, note lifetime, notes at most, message id, text
-- The note is for a write of the same message that is under way. → 1 when it is stored.
local lifetime, note_lifetime, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local id, text = ARGV[4], ARGV[5]
if redis.call('ZSCORE', GONE, id) then return 0 end

redis.call('HSET', NOTES, id, text)
redis.call('ZADD', NOTED, now, id)
local excess = redis.call('ZCARD', NOTED) - most
local stale = redis.call('ZRANGEBYSCORE', NOTED, '-inf', now - note_lifetime)
if excess > 0 then
  for _, old in ipairs(redis.call('ZRANGE', NOTED, 0, excess - 1)) do stale[#stale + 1] = old end
end
for _, old in ipairs(stale) do
  redis.call('HDEL', NOTES, old)
  redis.call('ZREM', NOTED, old)
end
redis.call('EXPIRE', NOTES, note_lifetime)
redis.call('EXPIRE', NOTED, note_lifetime)

local line = redis.call('HGET', INDEX, id)
if not line then return 0 end
local turn, number = string.match(line, '^(%d+)%.(%d+)$')
if turn then
  redis.call('HDEL', LINES, 't' .. line)
  local row = read_row(turn)
  for _, variant in ipairs(row and row.variants or {}) do
    if variant.number == number then
      for _, other in ipairs(variant.ids) do redis.call('HDEL', LINES, 't' .. other) end
    end
  end
end
redis.call('HSET', LINES, 't' .. id, text)
forget_summary(turn or line)
bump()
keep_for(lifetime)
return 1
