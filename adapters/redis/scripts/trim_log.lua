-- Removes events from the log of an ended task, and folds of series: {how many events, life}.
--
-- With an event goes its place in its class. Some places are still needed to count; they are
-- remembered in a sorted set of their class. Between two events that are left it is the first of the
-- class at most, since counting asks for the first at or after an event. Where the class has the
-- event before, or where none is left before, it is not needed either.
--@include life
--@include classes
--@include gone_key
--@include text_key
local id = ARGV[3]
local task_key, log_key = key('task', id), key('log', id)
local task = redis.call('HMGET', task_key, 'incarnation', 'length', 'trimmed', 'producers', 'classes')
if not task[1] or task[1] ~= ARGV[4] then return {0, life} end
local length = tonumber(task[2])
local series_end = 5 + tonumber(ARGV[5])

-- Positions to remove, one above the index; never that of the newest event.
local wanted = {}
for i = series_end + 1, #ARGV do
  local position = tonumber(ARGV[i]) + 1
  if position > (wanted[#wanted] or 0) and position < length then wanted[#wanted + 1] = position end
end

-- Which of these, from one on, is the first at or after a position.
local function first_wanted(position, from)
  local low, high = from, #wanted + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    if wanted[middle] < position then low = middle + 1 else high = middle end
  end
  return low
end

local function parts_of(entry)
  local position, place = string.match(entry[1], '^(%d+)%-(%d+)$')
  return tonumber(position), tonumber(place)
end

-- Redis takes only so many arguments from a script at once.
local function delete_entries(stream, ids)
  for i = 1, #ids, 1000 do
    redis.call('XDEL', stream, unpack(ids, i, math.min(i + 999, #ids)))
  end
end

local classes = classes_of(id, '', false, class_count(length, task[5]))
for _, class in ipairs(classes) do class.removed = {} end

local function is_found(class, chunk, nth, position)
  local place = place_in(class, chunk, nth)
  table.insert(class.removed, { position = position, place = place, chunk = chunk, nth = nth })
end

-- Finds what is wanted among the places of a class. Leaps from what is wanted to what there is and back,
-- so little is looked at in vain.
local function find_in(class)
  local next_wanted = 1
  while wanted[next_wanted] do
    local chunk = chunk_at(class, wanted[next_wanted])
    if not chunk then return end
    local nth = nth_at(chunk, wanted[next_wanted], 1)
    while nth <= chunk.count and wanted[next_wanted] do
      local position = position_in(chunk, nth)
      next_wanted = first_wanted(position, next_wanted)
      if wanted[next_wanted] == position then is_found(class, chunk, nth, position) end
      if wanted[next_wanted] then
        nth = nth_at(chunk, math.max(position + 1, wanted[next_wanted]), nth)
      end
    end
    if chunk.is_open then return end
    next_wanted = first_wanted(position_in(chunk, chunk.count) + 1, next_wanted)
  end
end

-- Finds what is wanted by asking each event for its class.
local function find_by_events()
  local named = {}
  for _, class in ipairs(classes) do named[class.name] = class end
  local function name_in(goes_on)
    local plain = string.match(goes_on, '^,%d+,("[^"\\]*","%a+")%]')
    if plain then return plain end
    local _, before = string.find(goes_on, '^,%d+,')
    for name in pairs(named) do -- Its type has characters that are escaped.
      local bare = string.sub(name, 2)
      if string.sub(goes_on, before + 1, before + #bare) == bare then return bare end
    end
  end
  for _, wanted_one in ipairs(wanted) do
    local position = int(wanted_one)
    local event = redis.call('XRANGE', log_key, position, position)[1]
    local name = event and name_in(event[2][2])
    for _, kind in ipairs(name and {'0', '1'} or {}) do
      local class = named[kind .. name]
      if class then
        if has_position(class, wanted_one) then
          local chunk = chunk_at(class, wanted_one)
          is_found(class, chunk, nth_at(chunk, wanted_one, 1), wanted_one)
        end
      end
    end
  end
end

-- Events may be large, so they are only read where many more chunks would have to be.
if #wanted > 0 then
  local span = wanted[#wanted] - wanted[1] + 1
  local chunks = math.min(#classes * #wanted, #classes + span / CHUNK)
  if chunks > 3 * #wanted then find_by_events()
  else
    for _, class in ipairs(classes) do find_in(class) end
  end
end

local removed = {}
for _, class in ipairs(classes) do
  for _, event in ipairs(class.removed) do removed[#removed + 1] = event.position end
end
table.sort(removed)
local ids = {}
for i, position in ipairs(removed) do ids[i] = int(position) .. '-0' end
delete_entries(log_key, ids)

-- Where nothing is left now: {before it (0 if nothing is), after it}, in order.
local gaps, gap_of = {}, {}
for _, position in ipairs(removed) do
  local gap = gaps[#gaps]
  if not gap or position > gap.high then
    local low = gap and gap.high == position - 1 and gap.high
    if not low then
      local before = redis.call('XREVRANGE', log_key, int(position), '-', 'COUNT', 1)[1]
      low = before and parts_of(before) or 0
    end
    local after = redis.call('XRANGE', log_key, int(position), '+', 'COUNT', 1)[1]
    gap = { low = low, high = parts_of(after) }
    gaps[#gaps + 1] = gap
  end
  gap_of[position] = #gaps
end

-- The places of a class that were remembered in these gaps, by number of the gap.
local function remembered_in_gaps(gone)
  local PAIRS = 64
  local found, at, from = {}, 1, 0
  while at <= #gaps do
    from = math.max(from, gaps[at].low)
    local pairs_found = redis.call('ZRANGEBYSCORE', gone, '(' .. int(from), '(' .. int(gaps[#gaps].high),
      'WITHSCORES', 'LIMIT', 0, PAIRS)
    for i = 1, #pairs_found, 2 do
      from = tonumber(pairs_found[i + 1])
      while at <= #gaps and gaps[at].high < from do at = at + 1 end
      if at <= #gaps and from > gaps[at].low then
        found[at] = found[at] or {}
        table.insert(found[at], { position = from, place = tonumber(pairs_found[i]) })
      end
    end
    if #pairs_found < 2 * PAIRS then break end
  end
  return found
end

local function is_needed(class, gap)
  if gap.low == 0 then return false end
  return not has_position(class, gap.low)
end

local function remember(class)
  local gone = gone_key(id, class.name)
  local remembered = task[3] and remembered_in_gaps(gone) or {}
  local first, numbers = {}, {}
  for _, event in ipairs(class.removed) do
    local number = gap_of[event.position]
    first[number] = first[number] or event
    remembered[number] = remembered[number] or {}
  end
  for number in pairs(remembered) do numbers[#numbers + 1] = number end
  table.sort(numbers) -- So that each chunk is read once.
  for _, number in ipairs(numbers) do
    local places = remembered[number]
    local best = first[number]
    local is_new = best ~= nil
    for _, one in ipairs(places) do
      if not best or one.position < best.position then best, is_new = one, false end
    end
    local needed = is_needed(class, gaps[number])
    for _, one in ipairs(places) do
      if one ~= best or not needed then redis.call('ZREM', gone, int(one.place)) end
    end
    if needed and is_new then redis.call('ZADD', gone, int(best.position), int(best.place)) end
  end
end

-- The runs of a chunk without some of its events: {first, last, events of the class before}.
local function runs_without(class, chunk, events)
  local runs, next_event = {}, 1
  for number = 1, chunk.runs or 1 do
    local first, before, last = 1, class.total, chunk.count
    if not chunk.is_open then
      first, before = run_of(chunk, number)
      if number < chunk.runs then last = run_of(chunk, number + 1) - 1 end
    end
    while events[next_event] and events[next_event].nth <= last do
      local nth = events[next_event].nth
      if nth > first then runs[#runs + 1] = { first, nth - 1, before } end
      first, before = nth + 1, before + nth + 1 - first
      next_event = next_event + 1
    end
    if first <= last then runs[#runs + 1] = { first, last, before } end
  end
  return runs
end

-- Puts a chunk without some of its events where it was.
local function replace(class, chunk, events)
  local runs = runs_without(class, chunk, events)
  if chunk.is_open then
    redis.call('DEL', class.open)
    class.total, class.is_open = class.total + chunk.count, false
  else redis.call('ZREM', class.places, chunk.text) end
  if #runs == 0 then return end
  local heads, parts, count = {}, {}, 0
  for i, run in ipairs(runs) do
    heads[i] = struct.pack(RUN, count + 1, run[3])
    local begin = chunk.head + (run[1] - 1) * POSITION_BYTES
    parts[i] = string.sub(chunk.text, begin + 1, chunk.head + run[2] * POSITION_BYTES)
    count = count + run[2] - run[1] + 1
  end
  redis.call('ZADD', class.places, int(position_in(chunk, runs[#runs][2])),
    struct.pack(RUN_COUNT, #runs) .. table.concat(heads) .. table.concat(parts))
end

-- Removes the places of what was removed of a class.
local function remove_places(class)
  if #class.removed == 0 then return end
  local at = 1
  while class.removed[at] do
    local chunk, events = class.removed[at].chunk, {}
    while class.removed[at] and class.removed[at].chunk == chunk do
      events[#events + 1] = class.removed[at]
      at = at + 1
    end
    replace(class, chunk, events)
  end
  local last = redis.call('ZREVRANGE', class.places, 0, 0, 'WITHSCORES')[2]
  redis.call('HSET', key('classes', id), class.name,
    struct.pack(CLASS, class.total, tonumber(last or 0), class.is_open and 1 or 0))
end

-- Redis frees the blocks of a stream whole, or not at all. If what is left of the log is in few of many,
-- it is written anew, if that is not much more work than removing was.
local function rewrite_log()
  local MAX_BYTES, ENTRIES = 1048576, 16
  local left = redis.call('XLEN', log_key)
  if left > #removed + 16 then return end
  local info = redis.call('XINFO', 'STREAM', log_key)
  for i = 1, #info, 2 do
    if info[i] == 'radix-tree-keys' and info[i + 1] == 1 then return end
  end
  local entries, bytes, from = {}, 0, '-'
  repeat
    local chunk = redis.call('XRANGE', log_key, from, '+', 'COUNT', ENTRIES)
    for _, entry in ipairs(chunk) do
      entries[#entries + 1] = entry
      bytes = bytes + #entry[2][2]
      from = '(' .. entry[1]
    end
    if bytes > MAX_BYTES then return end
  until #chunk < ENTRIES
  redis.call('UNLINK', log_key)
  for _, entry in ipairs(entries) do
    redis.call('XADD', log_key, entry[1], entry[2][1], entry[2][2])
  end
end

-- What producers sent before the first event that is left is refused, known or not.
local function forget_sent()
  local MAX_PRODUCERS, ENTRIES = 1000, 128
  local budget = #removed + ENTRIES
  for no = 0, math.min(tonumber(task[4] or 0), MAX_PRODUCERS) - 1 do
    local sent = key('sent', id) .. ':' .. no
    local through
    repeat
      through = nil
      local entries = redis.call('XRANGE', sent, '-', '+', 'COUNT', ENTRIES)
      for _, entry in ipairs(entries) do
        local seq, index = parts_of(entry)
        if index + 1 >= gaps[1].high then break end
        through, budget = seq, budget - 1
      end
      if through then redis.call('XTRIM', sent, 'MINID', int(through + 1)) end
    until not through or budget <= 0
    if redis.call('XLEN', sent) == 0 then redis.call('UNLINK', sent) end
    if budget <= 0 then break end
  end
end

if #removed > 0 then
  local highest = math.max(removed[#removed] - 1, tonumber(task[3] or 0))
  redis.call('HSET', task_key, 'trimmed', int(highest))
  for _, class in ipairs(classes) do
    remember(class)
    remove_places(class)
  end
  rewrite_log()
  if gaps[1].low == 0 then forget_sent() end
end

for i = 6, series_end do
  local stored = redis.call('HGET', key('series', id), ARGV[i])
  if stored then
    redis.call('UNLINK', text_key(id, cmsgpack.unpack(stored).no))
    redis.call('HDEL', key('series', id), ARGV[i])
    redis.call('ZREM', key('newest', id), ARGV[i])
  end
end
return {#removed, life}
