-- Returns a task's record, the length of its log, the highest trimmed index, and the entropy of the event at
-- an index if one is given; or nothing.
--@include begin
--@include entropy_at
local id, at = ARGV[3], tonumber(ARGV[4])
local task = redis.call('HMGET', key('task', id), 'record', 'length', 'trimmed')
if not task[1] then
--@include absent
end
return {task[1], task[2], task[3], task[1] and at and entropy_at(id, at) or false, generation}
