-- KEYS: cards, file, scripts. ARGV: id. → how many cards were removed.
redis.call('DEL', KEYS[2])
redis.call('SREM', KEYS[3], ARGV[1])
return redis.call('HDEL', KEYS[1], ARGV[1])
