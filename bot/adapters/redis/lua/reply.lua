-- Shared by the scripts about replies.
local function pad(turn)
  return string.rep('0', 20 - #turn) .. turn
end
