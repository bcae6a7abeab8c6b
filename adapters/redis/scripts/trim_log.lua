-- Removes events of an ended task's log and folds of series: {number of events, generation}.
--
-- An event's position is removed with it. Some ranks are still needed for counting and are kept in a sorted
-- set per event kind. Counting asks for the first event at or after an event, so between two remaining events
-- at most the first rank of each kind is needed; none is if the event before is of the kind, or if no event
-- before remains.
--@include begin
--@include event_kinds
--@include trimmed_key
--@include text_key
local id = ARGV[3]
local task_key, log_key = key('task', id), key('log', id)
local task = redis.call('HMGET', task_key, 'incarnation', 'length', 'trimmed', 'producers', 'classes')
if not task[1] or task[1] ~= ARGV[4] then return {0, generation} end
local length = tonumber(task[2])
local series_end = 5 + tonumber(ARGV[5])

-- Positions to remove (index + 1); never that of the newest event.
local requested = {}
for i = series_end + 1, #ARGV do
  local position = tonumber(ARGV[i]) + 1
  if position > (requested[#requested] or 0) and position < length then requested[#requested + 1] = position end
end

-- Returns the number, at least `from`, of the first of these at or after a position.
local function first_requested(position, from)
  local low, high = from, #requested + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    if requested[middle] < position then low = middle + 1 else high = middle end
  end
  return low
end

local function parts_of(entry)
  local position, rank = string.match(entry[1], '^(%d+)%-(%d+)$')
  return tonumber(position), tonumber(rank)
end

-- Redis limits the number of arguments of a call from a script.
local function delete_entries(stream, ids)
  for i = 1, #ids, 1000 do
    redis.call('XDEL', stream, unpack(ids, i, math.min(i + 999, #ids)))
  end
end

local event_kinds = event_kinds_of(id, '', false, event_kind_count(length, task[5]))
for _, event_kind in ipairs(event_kinds) do event_kind.removed = {} end

local function is_found(event_kind, chunk, nth, position)
  local rank = rank_in(event_kind, chunk, nth)
  table.insert(event_kind.removed, { position = position, rank = rank, chunk = chunk, nth = nth })
end

-- Finds requested positions among those of an event kind. Skips ahead in both lists, so few positions are
-- read in vain.
local function find_in(event_kind)
  local next_requested = 1
  while requested[next_requested] do
    local chunk = chunk_at(event_kind, requested[next_requested])
    if not chunk then return end
    local nth = nth_at(chunk, requested[next_requested], 1)
    while nth <= chunk.count and requested[next_requested] do
      local position = position_in(chunk, nth)
      next_requested = first_requested(position, next_requested)
      if requested[next_requested] == position then is_found(event_kind, chunk, nth, position) end
      if requested[next_requested] then
        nth = nth_at(chunk, math.max(position + 1, requested[next_requested]), nth)
      end
    end
    if chunk.is_open then return end
    next_requested = first_requested(position_in(chunk, chunk.count) + 1, next_requested)
  end
end

-- Finds requested positions by reading the events for their kinds.
local function find_by_events()
  local named = {}
  for _, event_kind in ipairs(event_kinds) do named[event_kind.name] = event_kind end
  local function name_in(goes_on)
    local plain = string.match(goes_on, '^,%d+,("[^"\\]*","%a+")%]')
    if plain then return plain end
    local _, before = string.find(goes_on, '^,%d+,')
    for name in pairs(named) do -- The type has escaped characters.
      local bare = string.sub(name, 2)
      if string.sub(goes_on, before + 1, before + #bare) == bare then return bare end
    end
  end
  for _, requested_one in ipairs(requested) do
    local position = int(requested_one)
    local event = redis.call('XRANGE', log_key, position, position)[1]
    local name = event and name_in(event[2][2])
    for _, kind in ipairs(name and {'0', '1'} or {}) do
      local event_kind = named[kind .. name]
      if event_kind then
        if has_position(event_kind, requested_one) then
          local chunk = chunk_at(event_kind, requested_one)
          is_found(event_kind, chunk, nth_at(chunk, requested_one, 1), requested_one)
        end
      end
    end
  end
end

-- Events may be large, so they are read only if that saves reading many more chunks.
if #requested > 0 then
  local span = requested[#requested] - requested[1] + 1
  local chunks = math.min(#event_kinds * #requested, #event_kinds + span / CHUNK)
  if chunks > 3 * #requested then find_by_events()
  else
    for _, event_kind in ipairs(event_kinds) do find_in(event_kind) end
  end
end

local removed = {}
for _, event_kind in ipairs(event_kinds) do
  for _, event in ipairs(event_kind.removed) do removed[#removed + 1] = event.position end
end
table.sort(removed)
local ids = {}
for i, position in ipairs(removed) do ids[i] = int(position) .. '-0' end
delete_entries(log_key, ids)

-- The gaps between remaining events: {position before (0 if none), position after}, in order.
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

-- Returns the kept ranks of an event kind in these gaps, by number of the gap.
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
        table.insert(found[at], { position = from, rank = tonumber(pairs_found[i]) })
      end
    end
    if #pairs_found < 2 * PAIRS then break end
  end
  return found
end

local function is_needed(event_kind, gap)
  if gap.low == 0 then return false end
  return not has_position(event_kind, gap.low)
end

local function remember(event_kind)
  local gone = trimmed_key(id, event_kind.name)
  local remembered = task[3] and remembered_in_gaps(gone) or {}
  local first, numbers = {}, {}
  for _, event in ipairs(event_kind.removed) do
    local number = gap_of[event.position]
    first[number] = first[number] or event
    remembered[number] = remembered[number] or {}
  end
  for number in pairs(remembered) do numbers[#numbers + 1] = number end
  table.sort(numbers) -- Reads each chunk once.
  for _, number in ipairs(numbers) do
    local ranks = remembered[number]
    local best = first[number]
    local is_new = best ~= nil
    for _, one in ipairs(ranks) do
      if not best or one.position < best.position then best, is_new = one, false end
    end
    local needed = is_needed(event_kind, gaps[number])
    for _, one in ipairs(ranks) do
      if one ~= best or not needed then redis.call('ZREM', gone, int(one.rank)) end
    end
    if needed and is_new then redis.call('ZADD', gone, int(best.position), int(best.rank)) end
  end
end

-- Returns the runs of a chunk after removing events: {first, last, rank}.
local function runs_without(event_kind, chunk, events)
  local runs, next_event = {}, 1
  for number = 1, chunk.runs or 1 do
    local first, before, last = 1, event_kind.total, chunk.count
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

-- Replaces a chunk by one without some of its events.
local function replace(event_kind, chunk, events)
  local runs = runs_without(event_kind, chunk, events)
  if chunk.is_open then
    redis.call('DEL', event_kind.open)
    event_kind.total, event_kind.is_open = event_kind.total + chunk.count, false
  else redis.call('ZREM', event_kind.chunks, chunk.text) end
  if #runs == 0 then return end
  local heads, parts, count = {}, {}, 0
  for i, run in ipairs(runs) do
    heads[i] = struct.pack(RUN, count + 1, run[3])
    local begin = chunk.head + (run[1] - 1) * POSITION_BYTES
    parts[i] = string.sub(chunk.text, begin + 1, chunk.head + run[2] * POSITION_BYTES)
    count = count + run[2] - run[1] + 1
  end
  redis.call('ZADD', event_kind.chunks, int(position_in(chunk, runs[#runs][2])),
    struct.pack(RUN_COUNT, #runs) .. table.concat(heads) .. table.concat(parts))
end

-- Removes the positions of an event kind's removed events.
local function remove_positions(event_kind)
  if #event_kind.removed == 0 then return end
  local at = 1
  while event_kind.removed[at] do
    local chunk, events = event_kind.removed[at].chunk, {}
    while event_kind.removed[at] and event_kind.removed[at].chunk == chunk do
      events[#events + 1] = event_kind.removed[at]
      at = at + 1
    end
    replace(event_kind, chunk, events)
  end
  local last = redis.call('ZREVRANGE', event_kind.chunks, 0, 0, 'WITHSCORES')[2]
  redis.call('HSET', key('classes', id), event_kind.name,
    struct.pack(CLASS, event_kind.total, tonumber(last or 0), event_kind.is_open and 1 or 0))
end

-- Redis frees only whole blocks of a stream. Rewrites a log that is left in few entries over many blocks,
-- unless that takes much longer than the removal itself.
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

-- Forgets the producer numbers of events before the first remaining one; their repetitions are refused either
-- way.
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
  for _, event_kind in ipairs(event_kinds) do
    remember(event_kind)
    remove_positions(event_kind)
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
return {#removed, generation}
