-- Part of a log: {incarnation, status, length, scanned to, rest through, entropy of the event scanned to,
-- {index, event begins, goes on} ..., life}, or nothing. The entropy is `diverged` if the log is not the one that
-- the caller goes on from.
--
-- A script pays ten times for an event what XRANGE does. So where many follow on one another that are all
-- wanted, it is only the first that come from here; `rest through` is then the index through which the
-- caller reads on by itself, else -1.
--@include life
--@include classes
--@include positions_between
--@include pages
--@include entropy_at
local id = ARGV[3]
local after, limit = tonumber(ARGV[4]), tonumber(ARGV[6])
local filter, plain, backward = ARGV[7], ARGV[8] == '1', ARGV[9] == '1'
local bytes, max_bytes = 0, ARGV[10] == '' and math.huge or tonumber(ARGV[10])
local task = redis.call('HMGET', key('task', id), 'incarnation', 'status', 'length', 'bytes', 'trimmed', 'classes')
if not task[1] then
--@include absent
  return {life}
end
local length = tonumber(task[3])
if ARGV[11] ~= '' and after >= 0 then
  local before = after < length and entropy_at(id, after)
  if after >= length or before and before ~= ARGV[11] then
    return {task[1], task[2], length, after, -1, 'diverged', life}
  end
end
local to = length - 1
if ARGV[5] ~= '' then to = math.min(to, tonumber(ARGV[5])) end

local first, final = math.max(0, after + 1) + 1, to + 1
local from, through = first, final
local log_key = key('log', id)

-- How many entries are asked for at once: a few, since nobody knows how large they are.
local ENTRIES = 64

-- How many come from here where others follow, and how many these have to be to be worth another request.
local FIRST, REST = 16, 16

-- Entries of the log between two positions, in the wanted order.
local function range(low, high, count)
  if high < low then return {} end
  if backward then return redis.call('XREVRANGE', log_key, int(high), int(low), 'COUNT', count) end
  return redis.call('XRANGE', log_key, int(low), int(high), 'COUNT', count)
end
local function position_of(entry) return tonumber(string.match(entry[1], '^%d+')) end

local answer = {task[1], task[2], length, 0, -1, false}
local HEAD = #answer
local last, last_goes_on
-- Takes an entry. Returns whether there is room for another.
local function take(entry)
  last = position_of(entry)
  local begins, goes_on = entry[2][1], entry[2][2]
  last_goes_on = goes_on
  answer[#answer + 1] = {last - 1, begins, goes_on}
  bytes = bytes + #goes_on - string.find(goes_on, '\n', 1, true)
  return #answer - HEAD < limit and bytes < max_bytes
end
local more = true
local function take_all(entries)
  for _, entry in ipairs(entries) do
    more = take(entry)
    if not more then break end
  end
end

-- How many of the log's pages begin at or before a position.
local function pages_through(position, count)
  local low, high = 0, count
  while low < high do
    local middle = math.ceil((low + high) / 2)
    local text = redis.call('GETRANGE', pages_key(id), (middle - 1) * POSITION_BYTES, middle * POSITION_BYTES - 1)
    if struct.unpack(POSITION, text) <= position then low = middle else high = middle - 1 end
  end
  return low
end

-- The last position through which what follows has no more bytes than there is room for.
local function fits_through()
  if max_bytes == math.huge then return final end
  local count = redis.call('STRLEN', pages_key(id)) / POSITION_BYTES
  if count ~= math.floor(task[4] / PAGE_BYTES) then return last end
  local page = pages_through(last, count) + math.floor((max_bytes - bytes) / PAGE_BYTES)
  if page > count then return final end
  if page == 0 then return last end
  local text = redis.call('GETRANGE', pages_key(id), (page - 1) * POSITION_BYTES, page * POSITION_BYTES - 1)
  return math.min(final, struct.unpack(POSITION, text) - 1)
end

local all, classes = filter == '', nil
if filter ~= '' or plain then
  classes = classes_of(id, filter, plain, class_count(length, task[6]))
  all = filter == '' and #classes == redis.call('HLEN', key('classes', id))
end
if all then
  -- It is asked once whether there is room: where there is none, events are large or the log is old.
  local may_part = not backward and max_bytes >= PAGE_BYTES
  while more do
    local left = limit - (#answer - HEAD)
    local parts = may_part and math.min(left, final - first + 1) >= FIRST + REST
    local entries = range(first, final, math.min(parts and FIRST or ENTRIES, left))
    take_all(entries)
    if #entries == 0 then break end
    if backward then final = last - 1 else first = last + 1 end
    if parts and more then
      local through = fits_through()
      if through - last >= REST then answer[5], more = through - 1, false end
      may_part = false
    end
  end
else
  -- Of each class as many as could be wanted, so that none is read that comes far behind.
  local positions = {}
  for _, class in ipairs(classes) do
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
    local entries = count == 1 and redis.call('XRANGE', log_key, int(from), int(from))
      or range(math.min(from, positions[at]), math.max(from, positions[at]), count)
    if #entries < count then damaged('log') end
    take_all(entries)
    at = at + step
  end
end
if all and through >= from then
--@include whole_range
end
if not more then answer[4] = last - 1
elseif backward then answer[4] = after + 1
else answer[4] = math.max(to, after) end
if not backward then
  if last and last - 1 == answer[4] then answer[6] = entropy_of(last_goes_on)
  else answer[6] = entropy_at(id, answer[4]) end
end
answer[#answer + 1] = life
return answer
