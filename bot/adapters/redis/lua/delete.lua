-- ARGV: tombstone lifetime, tombstones at most, what…: message ids, or u<user> for a person who
-- is to be forgotten. → the turns whose question is gone, then one empty string for each other
-- change.
local lifetime, most = tonumber(ARGV[1]), tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', GONE, '-inf', now - lifetime)

local result = {}
local function drop_from(turn, row, id)
  for place, other in ipairs(row.said) do
    if other == id then
      table.remove(row.said, place)
      remove_said(id)
      if #row.said > 0 then
        write_row(turn, row)
        return ''
      end
      remove_turn(turn, row)
      return turn
    end
  end
  for _, variant in ipairs(row.variants) do
    for _, other in ipairs(variant.ids) do
      if other == id then
        -- All variants stood in the same messages, one at a time: they go together.
        for _, each in ipairs(row.variants) do remove_variant(turn, each) end
        row.variants = {}
        if #row.said > 0 then
          write_row(turn, row)
        else
          remove_turn(turn, row)
        end
        return ''
      end
    end
  end
end

for position = 3, #ARGV do
  local id = ARGV[position]
  -- The summary of a place may hold what a person said in turns that are stored no more.
  if string.sub(id, 1, 1) == 'u' and redis.call('EXISTS', META) == 1 then
    redis.call('HINCRBY', META, 'taken_back', 1)
    if redis.call('HDEL', META, 'summary') == 1 then result[#result + 1] = '' end
  end
  redis.call('ZADD', GONE, string.format('%.6f', micros / 1000000), id)
  redis.call('HDEL', NOTES, id)
  redis.call('ZREM', NOTED, id)
  local line = redis.call('HGET', INDEX, id)
  if line then
    local turn = string.match(line, '^%d+')
    local row = turn and read_row(turn)
    local change = row and drop_from(turn, row, id)
    if change then
      result[#result + 1] = change
      forget_summary(turn)
    end
  end
end

redis.call('ZREMRANGEBYRANK', GONE, 0, -most - 1)
redis.call('EXPIRE', GONE, lifetime)
if #result > 0 then bump() end
return result
