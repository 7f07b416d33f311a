-- ARGV: the version the caller holds. → {state, version}, with meta and items when it is another.
local state = redis.call('HGET', META, 'state') or ''
if state ~= 'on' and state ~= 'paused' then return {state, ''} end
local version = redis.call('HGET', META, 'ver') or ''
if version == ARGV[1] then return {state, version} end
return {state, version, redis.call('HGETALL', META), redis.call('HGETALL', ITEMS)}
