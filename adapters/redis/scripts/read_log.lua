-- Returns part of a log: {incarnation, status, length, scanned to, rest through, entropy of the event scanned
-- to, {index, event begins, goes on} ..., generation}, or nothing. The entropy is `diverged` if the log does
-- not continue the caller's.
--
-- An event costs ten times as much in a script as in a plain XRANGE. In a long run of matching events, the
-- script returns only the first ones; `rest through` is then the index through which the caller reads the
-- rest itself, otherwise -1.
--@include begin
--@include event_kinds
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
  return {generation}
end
local length = tonumber(task[3])
if ARGV[11] ~= '' and after >= 0 then
  local before = after < length and entropy_at(id, after)
  if after >= length or before and before ~= ARGV[11] then
    return {task[1], task[2], length, after, -1, 'diverged', generation}
  end
end
local to = length - 1
if ARGV[5] ~= '' then to = math.min(to, tonumber(ARGV[5])) end

local first, final = math.max(0, after + 1) + 1, to + 1
local from, through = first, final
local log_key = key('log', id)

-- Entries per request: few, since their size is unknown.
local ENTRIES = 64

-- Events that the script returns at the start of a run, and the shortest rest worth another request.
local FIRST, REST = 16, 16

-- Returns entries between two positions, in the requested order.
local function range(low, high, count)
  if high < low then return {} end
  if backward then return redis.call('XREVRANGE', log_key, int(high), int(low), 'COUNT', count) end
  return redis.call('XRANGE', log_key, int(low), int(high), 'COUNT', count)
end
local function position_of(entry) return tonumber(string.match(entry[1], '^%d+')) end

local answer = {task[1], task[2], length, 0, -1, false}
local HEAD = #answer
local last, last_goes_on
-- Adds an entry to the answer. Returns whether there is room for more.
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

-- Returns how many pages of the log begin at or before a position.
local function pages_through(position, count)
  local low, high = 0, count
  while low < high do
    local middle = math.ceil((low + high) / 2)
    local text = redis.call('GETRANGE', pages_key(id), (middle - 1) * POSITION_BYTES, middle * POSITION_BYTES - 1)
    if struct.unpack(POSITION, text) <= position then low = middle else high = middle - 1 end
  end
  return low
end

-- Returns the last position whose events surely fit into the remaining bytes.
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

local all, event_kinds = filter == '', nil
if filter ~= '' or plain then
  event_kinds = event_kinds_of(id, filter, plain, event_kind_count(length, task[6]))
  all = filter == '' and #event_kinds == redis.call('HLEN', key('classes', id))
end
if all then
  -- Checked once: if there is no room, events are large or the log is old.
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
  -- Collects up to `limit` positions of each event kind, so that none is read in vain.
  local positions = {}
  for _, event_kind in ipairs(event_kinds) do
    positions_between(event_kind, first, final, limit, backward, positions)
  end
  table.sort(positions)
  local at, step = 1, 1
  if backward then at, step = #positions, -1 end
  while more and positions[at] do
    -- Adjacent positions are read together.
    local from, count = positions[at], 1
    while count < ENTRIES and positions[at + step] == positions[at] + step do
      at, count = at + step, count + 1
    end
    -- A single entry is the same in either order, and faster to find forward.
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
answer[#answer + 1] = generation
return answer
