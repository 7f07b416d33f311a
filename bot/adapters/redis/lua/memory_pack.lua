-- ARGV: the version that was packed, lifetime, pack. → 1 when it is kept: nothing changed meanwhile.
local state = redis.call('HGET', META, 'state')
if state ~= 'on' and state ~= 'paused' then return 0 end
if redis.call('HGET', META, 'ver') ~= ARGV[1] then return 0 end
redis.call('SET', PACK, ARGV[3], 'EX', ARGV[2])
return 1
