-- Shared by the memory scripts.
-- KEYS: a person's memory, in the order of keys.MEMORY_PARTS: meta, items, then one rank a
-- kind, then places, then the pack.
local META, ITEMS = KEYS[1], KEYS[2]
local PLACES, PACK = KEYS[#KEYS - 1], KEYS[#KEYS]
local KINDS = {'p', 'c', 'r', 'f', 'e', 't', 'u', 'x'}
local RANKS = {}
for position, kind in ipairs(KINDS) do RANKS[kind] = KEYS[2 + position] end

local function rank_of(id) return RANKS[string.sub(id, 1, 1)] end

local function remove(id)
  redis.call('HDEL', ITEMS, id)
  local rank = rank_of(id)
  if rank then redis.call('ZREM', rank, id) end
end

local function keep_for(seconds)
  for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, seconds) end
end
