-- Part of a log: {incarnation, status, length, scanned to, {index, event} ..., life}, or nothing.
local id = ARGV[3]
local after, limit = tonumber(ARGV[4]), tonumber(ARGV[6])
local filter, plain, backward = ARGV[7], ARGV[8] == '1', ARGV[9] == '1'
local bytes, max_bytes = 0, ARGV[10] == '' and math.huge or tonumber(ARGV[10])
local task = redis.call('HMGET', key('task', id), 'incarnation', 'status', 'length')
if not task[1] then return {life} end
local length = tonumber(task[3])
local to = length - 1
if ARGV[5] ~= '' then to = math.min(to, tonumber(ARGV[5])) end

-- Entries of a stream between two positions, in the wanted order.
local first, final = math.max(0, after + 1) + 1, to + 1
local function range(stream, low, high, count)
  if high < low then return {} end
  if backward then return redis.call('XREVRANGE', stream, int(high), int(low), 'COUNT', count) end
  return redis.call('XRANGE', stream, int(low), int(high), 'COUNT', count)
end
local function position_of(entry) return tonumber(string.match(entry[1], '^%d+')) end

local log_key = key('log', id)
local answer = {task[1], task[2], length, 0}
local last
-- Takes an entry. Returns whether there is room for another.
local function take(entry)
  last = position_of(entry)
  answer[#answer + 1] = {last - 1, entry[2][2]}
  bytes = bytes + #entry[2][2] - string.find(entry[2][2], '\n', 1, true)
  return #answer - 4 < limit and bytes < max_bytes
end
local more = true
if filter == '' and not plain then
  -- A few at a time, since nobody knows how large they are.
  local CHUNK = 64
  while more do
    local entries = range(log_key, first, final, math.min(CHUNK, limit - (#answer - 4)))
    for _, entry in ipairs(entries) do
      more = take(entry)
      if not more then break end
    end
    if #entries == 0 then break end
    if backward then final = last - 1 else first = last + 1 end
  end
else
  -- Of each class as many as could be wanted, so that none is read that comes far behind.
  local positions = {}
  for _, class in ipairs(classes_of(id, filter, plain)) do
    for _, entry in ipairs(range(places_key(id, class.no), first, final, limit)) do
      positions[#positions + 1] = position_of(entry)
    end
  end
  table.sort(positions, function(a, b) if backward then return a > b end return a < b end)
  for i = 1, #positions do
    more = take(redis.call('XRANGE', log_key, int(positions[i]), int(positions[i]))[1])
    if not more then break end
  end
end
if not more then answer[4] = last - 1
elseif backward then answer[4] = after + 1
else answer[4] = math.max(to, after) end
answer[#answer + 1] = life
return answer
