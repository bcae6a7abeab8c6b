-- Part of a log: {incarnation, status, length, scanned to, {index, event} ..., life}, or nothing.
local id = ARGV[3]
local after, limit = tonumber(ARGV[4]), tonumber(ARGV[6])
local filter, plain, backward = ARGV[7], ARGV[8] == '1', ARGV[9] == '1'
local task = redis.call('HMGET', key('task', id), 'incarnation', 'status', 'length')
if not task[1] then return {life} end
local length = tonumber(task[3])
local to = length - 1
if ARGV[5] ~= '' then to = math.min(to, tonumber(ARGV[5])) end

-- Entries of a stream between the two ends, in the wanted order.
local function range(stream)
  if to < after + 1 then return {} end
  local low, high = int(math.max(0, after + 1) + 1), int(to + 1)
  if backward then return redis.call('XREVRANGE', stream, high, low, 'COUNT', limit) end
  return redis.call('XRANGE', stream, low, high, 'COUNT', limit)
end
local function position_of(entry) return tonumber(string.match(entry[1], '^%d+')) end

local log_key = key('log', id)
local answer = {task[1], task[2], length, 0}
local last
if filter == '' and not plain then
  for _, entry in ipairs(range(log_key)) do
    last = position_of(entry)
    answer[#answer + 1] = {last - 1, entry[2][2]}
  end
else
  -- Of each class as many as could be wanted, so that none is read that comes far behind.
  local positions = {}
  for _, class in ipairs(classes_of(id, filter, plain)) do
    for _, entry in ipairs(range(places_key(id, class))) do
      positions[#positions + 1] = position_of(entry)
    end
  end
  table.sort(positions, function(a, b) if backward then return a > b end return a < b end)
  for i = 1, math.min(limit, #positions) do
    last = positions[i]
    local found = redis.call('XRANGE', log_key, int(last), int(last))
    answer[#answer + 1] = {last - 1, found[1][2][2]}
  end
end
if #answer - 4 == limit then answer[4] = last - 1
elseif backward then answer[4] = after + 1
else answer[4] = math.max(to, after) end
answer[#answer + 1] = life
return answer
