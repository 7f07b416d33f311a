-- ARGV: epoch, the version that must still stand ('' for any), by the person (0/1), lifetime, day,
-- most a day, then a cap for each kind (negative:
-- full is full), then operations:
--   put id score counted(0/1) needs("id id") record
--   del id
--   use id score
--   place guild:channel
--   set name value ('' removes)
-- → {'stale'} when another version stands; {'off'} when there is no consent, or all was forgotten since the caller looked; else
--   {previous version, version, stored…, '', evicted…}
local state = redis.call('HGET', META, 'state')
local by_person = ARGV[3] == '1'
if redis.call('HGET', META, 'epoch') ~= ARGV[1] then return {'off'} end
if state ~= 'on' and not (by_person and state == 'paused') then return {'off'} end
if ARGV[2] ~= '' and redis.call('HGET', META, 'ver') ~= ARGV[2] then return {'stale'} end
local lifetime, day, most = tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[6])
local caps, position = {}, 7
for _, kind in ipairs(KINDS) do
  caps[kind] = tonumber(ARGV[position])
  position = position + 1
end
local function take()
  position = position + 1
  return ARGV[position - 1]
end

local changed, stored, evicted = false, {}, {}

local function room_for_one_more_today()
  if redis.call('HGET', META, 'day') ~= day then
    redis.call('HSET', META, 'day', day, 'learned', 0)
  end
  if tonumber(redis.call('HGET', META, 'learned')) >= most then return false end
  redis.call('HINCRBY', META, 'learned', 1)
  return true
end

local function put(id, score, counted, needs, record)
  local kind, known = string.sub(id, 1, 1), redis.call('HEXISTS', ITEMS, id) == 1
  local rank, cap = RANKS[kind], caps[kind]
  if not rank then return end
  for need in string.gmatch(needs, '%S+') do
    if redis.call('HEXISTS', ITEMS, need) == 0 then return end
  end
  if not known and cap < 0 and redis.call('ZCARD', rank) >= -cap then return end
  if counted == '1' and not known and not room_for_one_more_today() then return end
  redis.call('HSET', ITEMS, id, record)
  -- Only upward: writing a vector must not make an item older than its last use.
  redis.call('ZADD', rank, 'GT', score, id)
  changed = true
  stored[#stored + 1] = id
  while redis.call('ZCARD', rank) > math.abs(cap) do
    local lowest = redis.call('ZRANGE', rank, 0, 1)
    local victim = lowest[1] ~= id and lowest[1] or lowest[2]
    remove(victim)
    evicted[#evicted + 1] = victim
  end
end

while position <= #ARGV do
  local operation = take()
  if operation == 'put' then
    local id, score, counted, needs, record = take(), take(), take(), take(), take()
    put(id, score, counted, needs, record)
  elseif operation == 'del' then
    remove(take())
    changed = true
  elseif operation == 'use' then
    local id, score = take(), take()
    redis.call('ZADD', rank_of(id), 'XX', 'GT', score, id)
  elseif operation == 'place' then
    redis.call('SADD', PLACES, take())
  elseif operation == 'set' then
    local name, value = 'v:' .. take(), take()
    if value == '' then redis.call('HDEL', META, name)
    else redis.call('HSET', META, name, value) end
    changed = true
  else
    return redis.error_reply('unknown operation')
  end
end

local version = redis.call('HGET', META, 'ver')
local previous = version
if changed then
  redis.call('DEL', PACK) -- it still holds what was removed
  version = ARGV[1] .. '.' .. redis.call('HINCRBY', META, 'writes', 1)
  redis.call('HSET', META, 'ver', version)
end
keep_for(lifetime)
local answer = {previous, version}
for _, id in ipairs(stored) do answer[#answer + 1] = id end
answer[#answer + 1] = ''
for _, id in ipairs(evicted) do answer[#answer + 1] = id end
return answer
