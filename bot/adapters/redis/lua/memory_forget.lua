-- Leave no key. → {how many items there were, places…}: in one step, so that no writer adds a place
-- between the two.
local answer = redis.call('SMEMBERS', PLACES)
table.insert(answer, 1, redis.call('HLEN', ITEMS))
redis.call('UNLINK', unpack(KEYS))
return answer
