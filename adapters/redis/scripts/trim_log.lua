-- Removes events from the log of an ended task, and folds of series: {how many events, life}.
--
-- With an event goes its place in its class. Some places are still needed to count; they are
-- remembered in a sorted set of their class. Between two events that are left it is the first of the
-- class at most, since counting asks for the first at or after an event. Where the class has the
-- event before, or where none is left before, it is not needed either.
local id = ARGV[3]
local task_key, log_key = key('task', id), key('log', id)
local task = redis.call('HMGET', task_key, 'incarnation', 'length', 'trimmed', 'producers')
if not task[1] or task[1] ~= ARGV[4] then return {0, life} end
local length = tonumber(task[2])
local series_end = 5 + tonumber(ARGV[5])

-- Positions to remove, one above the index; never that of the newest event.
local wanted = {}
for i = series_end + 1, #ARGV do
  local position = tonumber(ARGV[i]) + 1
  if position > (wanted[#wanted] or 0) and position < length then wanted[#wanted + 1] = position end
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

local classes = classes_of(id, '', false)
for _, class in ipairs(classes) do class.removed = {} end

local function is_found(class, entry)
  local position, place = parts_of(entry)
  table.insert(class.removed, { position = position, place = place, entry = entry[1] })
end

-- Finds what is wanted among the places of a class. Leaps from one that is wanted to the next, so few
-- are looked at in vain; more at a time only while they are wanted.
local function find_in(class)
  local at, count = 1, 8
  while at <= #wanted do
    local entries = redis.call('XRANGE', places_key(id, class.no), int(wanted[at]), int(wanted[#wanted]),
      'COUNT', count)
    local hits = 0
    for _, entry in ipairs(entries) do
      local position = parts_of(entry)
      while at <= #wanted and wanted[at] < position do at = at + 1 end
      if wanted[at] == position then
        is_found(class, entry)
        at, hits = at + 1, hits + 1
      end
    end
    if #entries < count then break end
    count = hits * 2 > #entries and math.min(2 * count, 256) or math.max(2, hits)
  end
end

-- Finds what is wanted by asking each event for its class.
local function find_by_events()
  local named = {}
  for _, class in ipairs(classes) do named[class.name] = class end
  local function name_in(text)
    local _, before = string.find(text, '^%[%d+,%d+,')
    local plain = string.match(text, '^"[^"\\]*","%a+"', before + 1)
    if plain then return plain end
    for name in pairs(named) do -- Its type has characters that are escaped.
      local bare = string.sub(name, 2)
      if string.sub(text, before + 1, before + #bare) == bare then return bare end
    end
  end
  for _, wanted_one in ipairs(wanted) do
    local position = int(wanted_one)
    local event = redis.call('XRANGE', log_key, position, position)[1]
    local name = event and name_in(event[2][2])
    for _, kind in ipairs(name and {'0', '1'} or {}) do
      local class = named[kind .. name]
      local entry = class and redis.call('XRANGE', places_key(id, class.no), position, position)[1]
      if entry then is_found(class, entry) end
    end
  end
end

-- Events may be large, so they are only read where the classes would have to be asked for many more.
local span = #wanted > 0 and wanted[#wanted] - wanted[1] + 1 or 0
if math.min(#classes * #wanted, span) > 4 * #wanted then find_by_events()
else
  for _, class in ipairs(classes) do find_in(class) end
end

local removed = {}
for _, class in ipairs(classes) do
  local ids = {}
  for i, event in ipairs(class.removed) do
    ids[i] = event.entry
    removed[#removed + 1] = event.position
  end
  delete_entries(places_key(id, class.no), ids)
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
  local CHUNK = 64
  local found, at, from = {}, 1, 0
  while at <= #gaps do
    from = math.max(from, gaps[at].low)
    local pairs_found = redis.call('ZRANGEBYSCORE', gone, '(' .. int(from), '(' .. int(gaps[#gaps].high),
      'WITHSCORES', 'LIMIT', 0, CHUNK)
    for i = 1, #pairs_found, 2 do
      from = tonumber(pairs_found[i + 1])
      while at <= #gaps and gaps[at].high < from do at = at + 1 end
      if at <= #gaps and from > gaps[at].low then
        found[at] = found[at] or {}
        table.insert(found[at], { position = from, place = tonumber(pairs_found[i]) })
      end
    end
    if #pairs_found < 2 * CHUNK then break end
  end
  return found
end

local function is_needed(class, gap)
  if gap.low == 0 then return false end
  local at = int(gap.low)
  return #redis.call('XRANGE', places_key(id, class.no), at, at) == 0
end

local function remember(class)
  local gone = gone_key(id, class.no)
  local remembered = task[3] and remembered_in_gaps(gone) or {}
  local first = {}
  for _, event in ipairs(class.removed) do
    local number = gap_of[event.position]
    first[number] = first[number] or event
    remembered[number] = remembered[number] or {}
  end
  for number, places in pairs(remembered) do
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

-- Redis frees the blocks of a stream whole, or not at all. What is left in few of many is written
-- anew, if that is not much more work than removing was.
local function rewrite(stream, gone)
  local MAX_BYTES, CHUNK = 1048576, 16
  local left = redis.call('XLEN', stream)
  if left == 0 then redis.call('UNLINK', stream) return end
  if left > gone + 16 then return end
  local info = redis.call('XINFO', 'STREAM', stream)
  for i = 1, #info, 2 do
    if info[i] == 'radix-tree-keys' and info[i + 1] == 1 then return end
  end
  local entries, bytes, from = {}, 0, '-'
  repeat
    local chunk = redis.call('XRANGE', stream, from, '+', 'COUNT', CHUNK)
    for _, entry in ipairs(chunk) do
      entries[#entries + 1] = entry
      bytes = bytes + #entry[2][2]
      from = '(' .. entry[1]
    end
    if bytes > MAX_BYTES then return end
  until #chunk < CHUNK
  redis.call('UNLINK', stream)
  for _, entry in ipairs(entries) do
    redis.call('XADD', stream, entry[1], entry[2][1], entry[2][2])
  end
end

-- What producers sent before the first event that is left is refused, known or not.
local function forget_sent()
  local MAX_PRODUCERS, CHUNK = 1000, 128
  local budget = #removed + CHUNK
  for no = 0, math.min(tonumber(task[4] or 0), MAX_PRODUCERS) - 1 do
    local sent = key('sent', id) .. ':' .. no
    local through
    repeat
      through = nil
      local entries = redis.call('XRANGE', sent, '-', '+', 'COUNT', CHUNK)
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
    if #class.removed > 0 then rewrite(places_key(id, class.no), #class.removed) end
  end
  rewrite(log_key, #removed)
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
