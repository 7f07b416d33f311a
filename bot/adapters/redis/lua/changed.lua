-- KEYS: sequence, changes. ARGV: owner. → the number of this change.
local number = redis.call('INCR', KEYS[1])
redis.call('ZADD', KEYS[2], number, ARGV[1])
return number
