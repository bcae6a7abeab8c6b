-- Returns the notes of an incarnation: {1, name, text ..., generation}, or {0, generation}.
--@include begin
--@include is_at
local id = ARGV[3]
if not is_at(id, ARGV[4], '', '') then return {0, generation} end
local answer = redis.call('HGETALL', key('notes', id))
table.insert(answer, 1, 1)
answer[#answer + 1] = generation
return answer
