-- ARGV: lifetime, cap, turn, chosen,
--       number of messages, then for each: id, user, at, about, text
--       number of variants, then for each: number, "id,id", about, text
-- → {previous version, version, stored (0/1), stored as given (0/1), turns that made room…}
local lifetime, cap, turn = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local position = 5
local function take()
  position = position + 1
  return ARGV[position - 1]
end

local function gone(id) return redis.call('ZSCORE', GONE, id) end
local function noted(id) return redis.call('HGET', NOTES, id) end

local row = {chosen = ARGV[4], said = {}, variants = {}}
local lines, index, as_given = {}, {}, 1

local said = tonumber(take())
for _ = 1, said do
  local id, user, at, about, text = take(), take(), take(), take(), take()
  local forgotten = gone('u' .. user)
  if gone(id) or (forgotten and tonumber(at) <= tonumber(forgotten)) then
    as_given = 0
  else
    local note = noted(id)
    if note then text, as_given = note, 0 end
    row.said[#row.said + 1] = id
    lines[#lines + 1] = {id, about, id, text}
    index[#index + 1] = {id, turn}
  end
end

local said_lines, said_index = {unpack(lines)}, {unpack(index)}
local variants, withdrawn = tonumber(take()), false
for _ = 1, variants do
  local number, ids, about, text = take(), split(take(), '%d+'), take(), take()
  local line = turn .. '.' .. number
  local text_line = line
  for _, id in ipairs(ids) do
    withdrawn = withdrawn or gone(id)
    local note = noted(id)
    if note then text_line, text, as_given = id, note, 0 end
  end
  row.variants[#row.variants + 1] = {number = number, ids = ids}
  lines[#lines + 1] = {line, about, text_line, text}
  for _, id in ipairs(ids) do index[#index + 1] = {id, line} end
end
if withdrawn then -- all variants stand in the same messages: they go together
  as_given, row.variants, lines, index = 0, {}, said_lines, said_index
end

local old = read_row(turn)
if old then remove_turn(turn, old) end
local nothing_left = (said > 0 and #row.said == 0) or (#row.said == 0 and #row.variants == 0)
if nothing_left then
  if not old then return {'', '', 0, 0} end
  forget_summary(turn)
  local previous, version = bump()
  return {previous, version, 0, 0}
end

for _, line in ipairs(lines) do
  redis.call('HSET', LINES, 'a' .. line[1], line[2], 't' .. line[3], line[4])
end
for _, entry in ipairs(index) do redis.call('HSET', INDEX, entry[1], entry[2]) end
write_row(turn, row)

local room = {}
while redis.call('ZCARD', ORDER) > cap do
  local oldest = string.gsub(redis.call('ZRANGE', ORDER, 0, 0)[1], '^0+', '')
  if oldest == '' then oldest = '0' end
  local full = read_row(oldest)
  if full then remove_turn(oldest, full) end
  redis.call('ZREM', ORDER, pad(oldest))
  room[#room + 1] = oldest
end

local previous, version = bump()
keep_for(lifetime)
return {previous, version, 1, as_given, unpack(room)}
