-- KEYS: what is held. ARGV: by whom. → 1 when it was theirs.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
