-- ARGV: lifetime, new state, when, epoch, sealed key. → 1 when the state changed.
-- Epoch and key count only for a first yes; pausing, and going on, keep both.
local lifetime, state = tonumber(ARGV[1]), ARGV[2]
local before = redis.call('HGET', META, 'state') or ''
if before == state then return 0 end
if state == 'paused' and before ~= 'on' then return 0 end
if before ~= 'on' and before ~= 'paused' then
  redis.call('DEL', unpack(KEYS))
  redis.call('HSET', META, 'epoch', ARGV[4], 'dek', ARGV[5], 'ver', ARGV[4] .. '.0')
end
redis.call('HSET', META, 'state', state, 'at', ARGV[3])
-- Readers must see at once that a memory was paused.
if redis.call('HEXISTS', META, 'epoch') == 1 then
  redis.call('DEL', PACK)
  redis.call('HSET', META, 'ver', redis.call('HGET', META, 'epoch') .. '.'
    .. redis.call('HINCRBY', META, 'writes', 1))
end
keep_for(lifetime)
return 1
