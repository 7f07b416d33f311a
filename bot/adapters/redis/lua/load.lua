-- ARGV: the version the caller holds. → {version} when it is still that, else everything.
local version = redis.call('HGET', META, 'ver') or ''
if version == ARGV[1] then return {version} end
return {version, redis.call('HGETALL', META), redis.call('HGETALL', ROWS),
  redis.call('HGETALL', LINES)}
