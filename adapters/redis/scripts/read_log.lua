-- Part of a log: {incarnation, status, length, scanned to, {index, event begins, goes on} ..., life}, or nothing.
--@include life
--@include classes
--@include positions_between
local id = ARGV[3]
local after, limit = tonumber(ARGV[4]), tonumber(ARGV[6])
local filter, plain, backward = ARGV[7], ARGV[8] == '1', ARGV[9] == '1'
local bytes, max_bytes = 0, ARGV[10] == '' and math.huge or tonumber(ARGV[10])
local task = redis.call('HMGET', key('task', id), 'incarnation', 'status', 'length')
if not task[1] then return {life} end
local length = tonumber(task[3])
local to = length - 1
if ARGV[5] ~= '' then to = math.min(to, tonumber(ARGV[5])) end

local first, final = math.max(0, after + 1) + 1, to + 1
local log_key = key('log', id)

-- How many entries are asked for at once: a few, since nobody knows how large they are.
local ENTRIES = 64

-- Entries of the log between two positions, in the wanted order.
local function range(low, high, count)
  if high < low then return {} end
  if backward then return redis.call('XREVRANGE', log_key, int(high), int(low), 'COUNT', count) end
  return redis.call('XRANGE', log_key, int(low), int(high), 'COUNT', count)
end
local function position_of(entry) return tonumber(string.match(entry[1], '^%d+')) end

local answer = {task[1], task[2], length, 0}
local last
-- Takes an entry. Returns whether there is room for another.
local function take(entry)
  last = position_of(entry)
  local begins, goes_on = entry[2][1], entry[2][2]
  answer[#answer + 1] = {last - 1, begins, goes_on}
  bytes = bytes + #goes_on - string.find(goes_on, '\n', 1, true)
  return #answer - 4 < limit and bytes < max_bytes
end
local more = true
local function take_all(entries)
  for _, entry in ipairs(entries) do
    more = take(entry)
    if not more then break end
  end
end
if filter == '' and not plain then
  while more do
    local entries = range(first, final, math.min(ENTRIES, limit - (#answer - 4)))
    take_all(entries)
    if #entries == 0 then break end
    if backward then final = last - 1 else first = last + 1 end
  end
else
  -- Of each class as many as could be wanted, so that none is read that comes far behind.
  local positions = {}
  for _, class in ipairs(classes_of(id, filter, plain)) do
    positions_between(class, first, final, limit, backward, positions)
  end
  table.sort(positions)
  local at, step = 1, 1
  if backward then at, step = #positions, -1 end
  while more and positions[at] do
    -- What follows on one another is read at once.
    local from, count = positions[at], 1
    while count < ENTRIES and positions[at + step] == positions[at] + step do
      at, count = at + step, count + 1
    end
    -- What is alone is the same in either order, and Redis finds it sooner forward.
    if count == 1 then more = take(redis.call('XRANGE', log_key, int(from), int(from))[1])
    else take_all(range(math.min(from, positions[at]), math.max(from, positions[at]), count)) end
    at = at + step
  end
end
if not more then answer[4] = last - 1
elseif backward then answer[4] = after + 1
else answer[4] = math.max(to, after) end
answer[#answer + 1] = life
return answer
