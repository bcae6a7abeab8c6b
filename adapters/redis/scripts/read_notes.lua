-- The notes of a life of a task: {1, name, text ..., life}, or {0, life}.
--@include life
--@include is_at
local id = ARGV[3]
if not is_at(id, ARGV[4], '', '') then return {0, life} end
local answer = redis.call('HGETALL', key('notes', id))
table.insert(answer, 1, 1)
answer[#answer + 1] = life
return answer
