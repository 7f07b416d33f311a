-- KEYS: leases. ARGV: process, lease length; 0 gives the lease up. → the others whose lease holds.
if ARGV[2] == '0' then
  redis.call('HSET', KEYS[1], ARGV[1], '0 0')
else
  renew(KEYS[1], ARGV[1], tonumber(ARGV[2]))
end
local living, leases = {}, redis.call('HGETALL', KEYS[1])
for position = 1, #leases, 2 do
  local till = tonumber(string.match(leases[position + 1], '%d+$') or 0)
  if leases[position] ~= ARGV[1] and till >= now then living[#living + 1] = leases[position] end
end
return living
