-- Reading the places of the events of a task.
--@include matches_type
--@include places
--@include damaged

-- The classes of a task's events that a filter takes. `filter` is JSON; `count` is how many classes the task has
-- at least.
local function classes_of(id, filter, plain_only, count)
  local wanted = filter ~= '' and cjson.decode(filter) or {}
  local found = {}
  local all = redis.call('HGETALL', key('classes', id))
  if #all / 2 < count then damaged('classes') end
  for i = 1, #all, 2 do
    local is_plain = string.sub(all[i], 1, 1) == '1'
    local pair = cjson.decode('[' .. string.sub(all[i], 2) .. ']')
    local kind, level = pair[1], pair[2]
    local ok = (is_plain or not plain_only)
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
        places = places_key(id, all[i]), open = open_key(id, all[i]),
      }
    end
  end
  return found
end

-- How many classes a task has at least: of old tasks it is only known whether they have any.
local function class_count(length, count)
  if count then return count + 0 end
  return length + 0 > 0 and 1 or 0
end

-- What is in a chunk: `count` positions behind so many bytes of `text`.
local function chunk_in(text)
  local runs = struct.unpack(RUN_COUNT, text)
  local head = RUN_COUNT_BYTES + runs * RUN_BYTES
  return { text = text, head = head, runs = runs, count = (#text - head) / POSITION_BYTES }
end

-- The newest positions of a class, as if they were a chunk.
local function open_chunk(class)
  if not class.newest then
    local text = redis.call('GET', class.open)
    if not text then damaged('open') end
    class.newest = { text = text, head = 0, count = #text / POSITION_BYTES, is_open = true }
  end
  return class.newest
end

-- The chunk that has the first event of a class at or after a position, or nil.
local function chunk_at(class, position)
  if position > class.last then return class.is_open and open_chunk(class) or nil end
  if not class.chunk or position < class.chunk_from or position > class.chunk_to then
    local text = redis.call('ZRANGEBYSCORE', class.places, int(position), '+inf', 'LIMIT', 0, 1)[1]
    if not text then damaged('places') end
    class.chunk = chunk_in(text)
    class.chunk_from = position
    class.chunk_to = struct.unpack(POSITION, class.chunk.text, #class.chunk.text - POSITION_BYTES + 1)
  end
  return class.chunk
end

local function position_in(chunk, nth)
  return (struct.unpack(POSITION, chunk.text, chunk.head + (nth - 1) * POSITION_BYTES + 1))
end

-- Which event of a chunk, from one on, is the first at or after a position: one behind the last if none is.
local function nth_at(chunk, position, from)
  local low, high = from, chunk.count + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    if position_in(chunk, middle) < position then low = middle + 1 else high = middle end
  end
  return low
end

-- Which event of a chunk is the first of a run, and how many of the class came before that.
local function run_of(chunk, number)
  local nth, before = struct.unpack(RUN, chunk.text, RUN_COUNT_BYTES + (number - 1) * RUN_BYTES + 1)
  return nth, before
end

-- How many events of a class came before one that is in a chunk.
local function place_in(class, chunk, nth)
  if chunk.is_open then return class.total + nth - 1 end
  local low, high = 1, chunk.runs
  while low < high do
    local middle = math.ceil((low + high) / 2)
    if run_of(chunk, middle) > nth then high = middle - 1 else low = middle end
  end
  local first, before = run_of(chunk, low)
  return before + nth - first
end

-- How many events of a class came before the first that is left at or after a position, or ever.
local function place_at(class, position)
  local chunk = chunk_at(class, position)
  if not chunk then return class.total end
  return place_in(class, chunk, nth_at(chunk, position, 1))
end

-- Whether the event at a position is left, and of a class.
local function has_position(class, position)
  local chunk = chunk_at(class, position)
  if not chunk then return false end
  local nth = nth_at(chunk, position, 1)
  return nth <= chunk.count and position_in(chunk, nth) == position
end
