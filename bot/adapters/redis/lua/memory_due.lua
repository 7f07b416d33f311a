-- KEYS: due. ARGV: now, leased until. → a person who is due, put off until then; '' for none.
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, 1)[1]
if not found then return '' end
redis.call('ZADD', KEYS[1], ARGV[2], found)
return found
