-- KEYS: turns, open, progress, then claims. ARGV: outcome, then messages. The reply stands there
-- whoever owns the entry, so that the owner is not asked. → how many were open.
local settled = 0
for position = 4, #KEYS do
  settled = settled + remove(KEYS[1], KEYS[2], KEYS[3], ARGV[position - 2])
  redis.call('SET', KEYS[position], 'settled ' .. ARGV[1], 'XX', 'KEEPTTL')
end
return settled
