-- ARGV: lifetime, fields at most, what `taken_back` must be ('' for anything), then pairs: field,
-- value ('' removes). `trimmed_to` only moves forward, and `summary` only together with it.
-- → {previous version, version, done (0/1)}
if ARGV[3] ~= '' and (redis.call('HGET', META, 'taken_back') or '0') ~= ARGV[3] then
  return {'', '', 0}
end
local fields = redis.call('HLEN', META)
local trimmed = redis.call('HGET', META, 'trimmed_to')
for position = 4, #ARGV, 2 do
  local field, value = ARGV[position], ARGV[position + 1]
  if field == 'trimmed_to' and trimmed and pad(value) < pad(trimmed) then return {'', '', 0} end
  if value ~= '' and redis.call('HEXISTS', META, field) == 0 then fields = fields + 1 end
end
if fields > tonumber(ARGV[2]) then
  return redis.error_reply('too many values in a conversation')
end
for position = 4, #ARGV, 2 do
  if ARGV[position + 1] == '' then
    redis.call('HDEL', META, ARGV[position])
  else
    redis.call('HSET', META, ARGV[position], ARGV[position + 1])
  end
end
local previous, version = bump()
keep_for(ARGV[1])
return {previous, version, 1}
