-- For each index: how many events before it match. {count ..., life}, or nothing.
local id = ARGV[3]
local task = redis.call('HMGET', key('task', id), 'incarnation', 'trimmed')
if not task[1] then return {life} end
local classes = classes_of(id, ARGV[4], false)
local answer = {}
for i = 5, #ARGV do
  local position = int(tonumber(ARGV[i]) + 1)
  local sum = 0
  for _, class in ipairs(classes) do
    -- As many come before as the place of the first that does not says: of one that is left, or gone.
    local before = class.count
    local first = redis.call('XRANGE', places_key(id, class.no), position, '+', 'COUNT', 1)[1]
    if first then before = tonumber(string.match(first[1], '%-(%d+)$')) end
    if task[2] then
      local gone = redis.call('ZRANGEBYSCORE', gone_key(id, class.no), position, '+inf', 'LIMIT', 0, 1)[1]
      if gone then before = math.min(before, tonumber(gone)) end
    end
    sum = sum + before
  end
  answer[#answer + 1] = sum
end
answer[#answer + 1] = life
return answer
