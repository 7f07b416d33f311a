-- KEYS: turns, open, progress, claim. ARGV: process, message, progress
-- → 1 noted, 0 nothing to note (never accepted), -1 another process owns it, or it is settled.
local stream_id = redis.call('HGET', KEYS[2], ARGV[2])
if not stream_id then return redis.call('EXISTS', KEYS[4]) == 1 and -1 or 0 end
if owner(KEYS[1], stream_id) ~= ARGV[1] then return -1 end
redis.call('HSET', KEYS[3], ARGV[2], ARGV[3])
return 1
