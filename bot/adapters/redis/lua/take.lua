-- KEYS: the mark of what is let in, then buckets. ARGV: seconds that the mark stays, then of each
-- bucket tokens at most, tokens a second.
-- Takes one token of each, or of none; nothing for what is marked as let in. → the milliseconds to
-- wait, 0 when granted; and the number of the bucket that needs so long.
if redis.call('EXISTS', KEYS[1]) == 1 then return {0, 0} end
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local tokens, longest, slowest = {}, 0, 0
for i = 2, #KEYS do
  local most, rate = tonumber(ARGV[2 * i - 2]), tonumber(ARGV[2 * i - 1])
  local stored = redis.call('HMGET', KEYS[i], 'tokens', 'at')
  local left = tonumber(stored[1] or '') or most
  local at = tonumber(stored[2] or '') or now
  tokens[i] = math.min(most, left + math.max(0, now - at) * rate)
  if tokens[i] < 1 then
    local wait = math.ceil((1 - tokens[i]) / rate * 1000)
    if wait > longest then
      longest, slowest = wait, i - 1
    end
  end
end
if longest == 0 then
  redis.call('SET', KEYS[1], '', 'EX', ARGV[1])
  for i = 2, #KEYS do
    local most, rate = tonumber(ARGV[2 * i - 2]), tonumber(ARGV[2 * i - 1])
    local left = tokens[i] - 1
    redis.call('HSET', KEYS[i], 'tokens', string.format('%.6f', left),
      'at', string.format('%.6f', now))
    redis.call('PEXPIRE', KEYS[i], math.ceil((most - left) / rate * 1000) + 1000)
  end
end
return {longest, slowest}
