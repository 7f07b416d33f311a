-- KEYS: sequence, changes. ARGV: the last number seen, owners at most.
-- → {number now, owners that changed since…}, with one more than asked when there are too many.
local number = tonumber(redis.call('GET', KEYS[1]) or '0')
local found = {number}
for _, owner in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[1], '+inf', 'LIMIT', 0,
    tonumber(ARGV[2]) + 1)) do
  found[#found + 1] = owner
end
return found
