-- What every script begins with.
--
-- KEYS[1] names a partition; all keys of its tasks begin with it and so are in one slot.
-- ARGV[1] is the partition's life as the caller knows it, or ''; ARGV[2] a name for a new life.
local base = KEYS[1]
local life = redis.call('GET', base .. ':life')
if life then
  if ARGV[1] ~= '' and ARGV[1] ~= life then
    return redis.error_reply('TASKCAST_LOST the data was replaced')
  end
else
  if ARGV[1] ~= '' then return redis.error_reply('TASKCAST_LOST the data is gone') end
  life = ARGV[2]
  redis.call('SET', base .. ':life', life)
end

local function key(kind, id) return base .. ':' .. kind .. ':' .. id end

-- A whole number as Redis takes it; Lua would write large ones with an exponent. '%d' takes half as many
-- instructions, but where a long has 32 bits it takes no number that is larger.
local function int(number)
  if number < 2147483648 and number >= 0 then return string.format('%d', number) end
  return string.format('%.0f', number)
end

-- Whether a type matches one of the patterns: '*', 'a.b.*', or equal.
local function matches_type(kind, patterns)
  for _, pattern in ipairs(patterns) do
    if pattern == '*' or pattern == kind then return true end
    if string.sub(pattern, -2) == '.*' then
      local stem = string.sub(pattern, 1, -2)
      if string.sub(kind, 1, #stem) == stem then return true end
    end
  end
  return false
end

-- The classes of a task's events that a filter takes: {no, count, name}; the count is also of what
-- was trimmed. `filter` is JSON.
local function classes_of(id, filter, plain_only)
  local wanted = filter ~= '' and cjson.decode(filter) or {}
  local found = {}
  local all = redis.call('HGETALL', key('classes', id))
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
      local no, count = string.match(all[i + 1], '^(%d+) (%d+)$')
      found[#found + 1] = { no = no, count = tonumber(count), name = all[i] }
    end
  end
  return found
end

-- The key of the places of one class: a stream whose ids are <index + 1>-<place in the class>.
local function places_key(id, class) return key('places', id) .. ':' .. class end

-- The key of those places of one class that are remembered of trimmed events: a sorted set of places by
-- index + 1.
local function gone_key(id, class) return key('gone', id) .. ':' .. class end

-- The key of the text of an accumulate series.
local function text_key(id, number) return key('text', id) .. ':' .. number end

-- Whether a task is in a life and, where these are not '', at a version and length.
local function is_at(id, incarnation, version, length)
  local now = redis.call('HMGET', key('task', id), 'incarnation', 'version', 'length')
  return now[1] == incarnation and (version == '' or now[2] == version)
    and (length == '' or now[3] == length)
end

-- Whether a text comes before another by its bytes, as in sorted sets. Lua's own `<` asks the locale
-- that Redis was started in.
local function is_before(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end
