-- Shared by the journal scripts. The stream's group `turns` has one consumer a process: its
-- pending list says who owns an entry and how often it was taken up.
local GROUP = 'turns'
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)

-- A lease is "<since> <until>": since when it was renewed without a gap.
local function renew(leases, process, length)
  local since, till = string.match(redis.call('HGET', leases, process) or '', '^(%d+) (%d+)$')
  if not since or tonumber(till) < now then since = string.format('%.0f', now) end
  redis.call('HSET', leases, process, since .. ' ' .. string.format('%.0f', now + length))
  return tonumber(since)
end

local function owner(turns, stream_id)
  local pending = redis.call('XPENDING', turns, GROUP, stream_id, stream_id, 1)
  return pending[1] and pending[1][2]
end

local function remove(turns, open, progress, message)
  local stream_id = redis.call('HGET', open, message)
  redis.call('HDEL', progress, message)
  if not stream_id then return 0 end
  redis.call('XACK', turns, GROUP, stream_id)
  redis.call('XDEL', turns, stream_id)
  redis.call('HDEL', open, message)
  return 1
end
