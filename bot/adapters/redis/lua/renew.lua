-- KEYS: leases. ARGV: process, lease length; 0 gives the lease up.
if ARGV[2] == '0' then
  redis.call('HSET', KEYS[1], ARGV[1], '0 0')
else
  renew(KEYS[1], ARGV[1], tonumber(ARGV[2]))
end
return 1
