-- ARGV: tombstone lifetime. Forget the place. → how many exchanges there were.
-- Tombstones stay, and that all was taken back: a summary that is being written comes too late.
local exchanges = redis.call('ZCARD', ORDER)
local known = redis.call('EXISTS', META) == 1
local taken_back = tonumber(redis.call('HGET', META, 'taken_back') or '0') + 1
redis.call('DEL', META, ROWS, LINES, ORDER, INDEX, NOTES, NOTED)
if known then
  redis.call('HSET', META, 'taken_back', taken_back)
  redis.call('EXPIRE', META, ARGV[1])
end
return exchanges
