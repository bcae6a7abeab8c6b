-- Reads the positions of a task's events by event kind.
--@include matches_type
--@include chunks
--@include damaged

-- Returns the event kinds of a task that match a filter. `filter` is JSON; `count` is the least number of
-- event kinds that the task has.
local function event_kinds_of(id, filter, standalone_only, count)
  local wanted = filter ~= '' and cjson.decode(filter) or {}
  local found = {}
  local all = redis.call('HGETALL', key('classes', id))
  if #all / 2 < count then damaged('classes') end
  for i = 1, #all, 2 do
    local is_standalone = string.sub(all[i], 1, 1) == '1'
    local pair = cjson.decode('[' .. string.sub(all[i], 2) .. ']')
    local kind, level = pair[1], pair[2]
    local ok = (is_standalone or not standalone_only)
      and (not wanted.types or matches_type(kind, wanted.types))
      and (not wanted.without or kind ~= wanted.without)
    if ok and wanted.levels then
      ok = false
      for _, one in ipairs(wanted.levels) do ok = ok or one == level end
    end
    if ok then
      local total, last, is_open = struct.unpack(CLASS, all[i + 1])
      found[#found + 1] = {
        name = all[i], total = total, last = last, is_open = is_open == 1,
        chunks = chunks_key(id, all[i]), open = open_key(id, all[i]),
      }
    end
  end
  return found
end

-- Returns the least number of event kinds of a task. Old tasks only show whether they have any.
local function event_kind_count(length, count)
  if count then return count + 0 end
  return length + 0 > 0 and 1 or 0
end

-- Parses a chunk: `count` positions after `head` bytes of `text`.
local function chunk_in(text)
  local runs = struct.unpack(RUN_COUNT, text)
  local head = RUN_COUNT_BYTES + runs * RUN_BYTES
  return { text = text, head = head, runs = runs, count = (#text - head) / POSITION_BYTES }
end

-- Returns the newest positions of an event kind in the form of a chunk.
local function open_chunk(event_kind)
  if not event_kind.newest then
    local text = redis.call('GET', event_kind.open)
    if not text then damaged('open') end
    event_kind.newest = { text = text, head = 0, count = #text / POSITION_BYTES, is_open = true }
  end
  return event_kind.newest
end

-- Returns the chunk with the first event of a kind at or after a position, or nil.
local function chunk_at(event_kind, position)
  if position > event_kind.last then return event_kind.is_open and open_chunk(event_kind) or nil end
  if not event_kind.chunk or position < event_kind.chunk_from or position > event_kind.chunk_to then
    local text = redis.call('ZRANGEBYSCORE', event_kind.chunks, int(position), '+inf', 'LIMIT', 0, 1)[1]
    if not text then damaged('places') end
    event_kind.chunk = chunk_in(text)
    event_kind.chunk_from = position
    event_kind.chunk_to = struct.unpack(POSITION, event_kind.chunk.text, #event_kind.chunk.text - POSITION_BYTES + 1)
  end
  return event_kind.chunk
end

local function position_in(chunk, nth)
  return (struct.unpack(POSITION, chunk.text, chunk.head + (nth - 1) * POSITION_BYTES + 1))
end

-- Returns the number, at least `from`, of the first event of a chunk at or after a position; one past the
-- last if there is none.
local function nth_at(chunk, position, from)
  local low, high = from, chunk.count + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    if position_in(chunk, middle) < position then low = middle + 1 else high = middle end
  end
  return low
end

-- Returns the number of a run's first event in its chunk, and its rank.
local function run_of(chunk, number)
  local nth, before = struct.unpack(RUN, chunk.text, RUN_COUNT_BYTES + (number - 1) * RUN_BYTES + 1)
  return nth, before
end

-- Returns the rank of an event of a chunk: the number of earlier events of its kind, trimmed ones included.
local function rank_in(event_kind, chunk, nth)
  if chunk.is_open then return event_kind.total + nth - 1 end
  local low, high = 1, chunk.runs
  while low < high do
    local middle = math.ceil((low + high) / 2)
    if run_of(chunk, middle) > nth then high = middle - 1 else low = middle end
  end
  local first, before = run_of(chunk, low)
  return before + nth - first
end

-- Returns the rank of the first remaining event at or after a position, or of the next event.
local function rank_at(event_kind, position)
  local chunk = chunk_at(event_kind, position)
  if not chunk then return event_kind.total end
  return rank_in(event_kind, chunk, nth_at(chunk, position, 1))
end

-- Returns whether the event at a position remains and is of a kind.
local function has_position(event_kind, position)
  local chunk = chunk_at(event_kind, position)
  if not chunk then return false end
  local nth = nth_at(chunk, position, 1)
  return nth <= chunk.count and position_in(chunk, nth) == position
end
