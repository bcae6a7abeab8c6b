-- For each index: how many events before it match. {count ..., life}, or nothing.
local id = ARGV[3]
if redis.call('EXISTS', key('task', id)) == 0 then return {life} end
local classes = classes_of(id, ARGV[4], false)
local answer = {}
for i = 5, #ARGV do
  local sum = 0
  for _, class in ipairs(classes) do
    local last = redis.call('XREVRANGE', places_key(id, class), ARGV[i], '-', 'COUNT', 1)[1]
    if last then sum = sum + tonumber(string.match(last[1], '%-(%d+)$')) + 1 end
  end
  answer[#answer + 1] = sum
end
answer[#answer + 1] = life
return answer
