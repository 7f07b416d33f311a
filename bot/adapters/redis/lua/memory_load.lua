-- ARGV: the version the caller holds, whether a pack may serve (0/1).
-- → {state, version}; when it is another also meta, and either the pack or all records.
local state = redis.call('HGET', META, 'state') or ''
if state ~= 'on' and state ~= 'paused' then return {state, ''} end
local version = redis.call('HGET', META, 'ver') or ''
if version == ARGV[1] then return {state, version} end
local pack = ARGV[2] == '1' and redis.call('GET', PACK)
return {state, version, redis.call('HGETALL', META), pack or redis.call('HGETALL', ITEMS)}
