-- KEYS: latest. ARGV: lifetime, turn, message, webhook. → {turn, message, webhook} of the reply
-- whose buttons are to go: the one before, or this one when a later turn's stands there.
local turn, message, webhook = ARGV[2], ARGV[3], ARGV[4]
local held = redis.call('HMGET', KEYS[1], 't', 'm', 'w')
if held[1] and pad(held[1]) > pad(turn) then
  return {turn, message, webhook}
end
redis.call('HSET', KEYS[1], 't', turn, 'm', message, 'w', webhook)
redis.call('EXPIRE', KEYS[1], ARGV[1])
if not held[1] or held[2] == message then return {} end
return {held[1], held[2], held[3]}
