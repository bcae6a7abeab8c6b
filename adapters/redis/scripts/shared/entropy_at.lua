-- Returns the entropy of the event at an index as text, or false if the log has no such event.
local function entropy_of(goes_on) return string.match(goes_on, '^,(%d+)') end
local function entropy_at(id, index)
  if index < 0 then return false end
  local position = int(index + 1)
  local found = redis.call('XRANGE', key('log', id), position, position)[1]
  return found and entropy_of(found[2][2]) or false
end
