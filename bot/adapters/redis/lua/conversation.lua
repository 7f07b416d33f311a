-- Shared by the conversation scripts. KEYS are always the eight of `keys.conversation`.
-- A row says what a turn holds, by ids only: "<chosen>|<said>,<said>|<n>=<id>,<id>;<n>=<id>".
local META, ROWS, LINES, ORDER = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local INDEX, GONE, NOTES, NOTED = KEYS[5], KEYS[6], KEYS[7], KEYS[8]

local clock = redis.call('TIME')
local now = tonumber(clock[1])
local micros = now * 1000000 + tonumber(clock[2])

local function pad(turn)
  return string.rep('0', 20 - #turn) .. turn
end

local function split(text, pattern)
  local parts = {}
  for part in string.gmatch(text, pattern) do parts[#parts + 1] = part end
  return parts
end

local function read_row(turn)
  local row = redis.call('HGET', ROWS, turn)
  if not row then return nil end
  local chosen, said, variants = string.match(row, '^([^|]*)|([^|]*)|(.*)$')
  if not chosen then chosen, said, variants = '', '', '' end -- a corrupt row holds nothing
  local found = {chosen = chosen, said = split(said, '[^,]+'), variants = {}}
  for number, ids in string.gmatch(variants, '(%d+)=([%d,]*)') do
    found.variants[#found.variants + 1] = {number = number, ids = split(ids, '%d+')}
  end
  return found
end

local function write_row(turn, row)
  local variants, has_chosen = {}, false
  for _, variant in ipairs(row.variants) do
    variants[#variants + 1] = variant.number .. '=' .. table.concat(variant.ids, ',')
    has_chosen = has_chosen or variant.number == row.chosen
  end
  if not has_chosen then
    row.chosen = #row.variants > 0 and row.variants[#row.variants].number or ''
  end
  redis.call('HSET', ROWS, turn,
    row.chosen .. '|' .. table.concat(row.said, ',') .. '|' .. table.concat(variants, ';'))
  redis.call('ZADD', ORDER, 0, pad(turn))
end

local function remove_said(id)
  redis.call('HDEL', LINES, 'a' .. id, 't' .. id)
  redis.call('HDEL', INDEX, id)
end

local function remove_variant(turn, variant)
  local line = turn .. '.' .. variant.number
  redis.call('HDEL', LINES, 'a' .. line, 't' .. line)
  for _, id in ipairs(variant.ids) do
    redis.call('HDEL', LINES, 't' .. id)
    redis.call('HDEL', INDEX, id)
  end
end

local function remove_turn(turn, row)
  for _, id in ipairs(row.said) do remove_said(id) end
  for _, variant in ipairs(row.variants) do remove_variant(turn, variant) end
  redis.call('HDEL', ROWS, turn)
  redis.call('ZREM', ORDER, pad(turn))
end

-- A new version is greater than any that this place ever had, also before it expired.
local function bump()
  local previous = redis.call('HGET', META, 'ver')
  local version = string.format('%.0f', math.max(micros, (tonumber(previous or '') or 0) + 1))
  redis.call('HSET', META, 'ver', version)
  return previous or '', version
end

local function keep_for(seconds)
  for _, key in ipairs({META, ROWS, LINES, ORDER, INDEX}) do
    redis.call('EXPIRE', key, seconds)
  end
end

-- What a person took back must not live on in a summary of trimmed history, nor in one that is
-- being written: it is kept only while nothing more was taken back.
local function forget_summary(turn)
  redis.call('HINCRBY', META, 'taken_back', 1)
  local trimmed = redis.call('HGET', META, 'trimmed_to')
  if trimmed and pad(turn) < pad(trimmed) then redis.call('HDEL', META, 'summary') end
end
