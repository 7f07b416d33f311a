-- KEYS: claim, turns, open, leases
-- ARGV: token, claim lifetime, process, lease length, message, shard key, entry. → 1 when it is
-- ours. The token is new for each call, so that a retry after a lost answer is known as such.
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'EX', ARGV[2]) then
  return redis.call('GET', KEYS[1]) == ARGV[1] and 1 or 0
end
if redis.call('EXISTS', KEYS[2]) == 0 then
  redis.call('XGROUP', 'CREATE', KEYS[2], GROUP, '0', 'MKSTREAM')
end
local stream_id = redis.call('XADD', KEYS[2], '*', 'm', ARGV[5], 'k', ARGV[6], 'd', ARGV[7])
redis.call('XCLAIM', KEYS[2], GROUP, ARGV[3], 0, stream_id,
  'RETRYCOUNT', 0, 'FORCE', 'JUSTID')
redis.call('HSET', KEYS[3], ARGV[5], stream_id)
renew(KEYS[4], ARGV[3], tonumber(ARGV[4]))
return 1
