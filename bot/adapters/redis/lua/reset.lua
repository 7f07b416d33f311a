-- Forget the place; tombstones stay. → how many exchanges there were.
local exchanges = redis.call('ZCARD', ORDER)
redis.call('DEL', META, ROWS, LINES, ORDER, INDEX, NOTES, NOTED)
return exchanges
