-- A task's record, the length of its log, and the highest index that was trimmed; or nothing.
--@include life
local task = redis.call('HMGET', key('task', ARGV[3]), 'record', 'length', 'trimmed')
return {task[1], task[2], task[3], life}
