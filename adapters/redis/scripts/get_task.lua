-- A task's record and the length of its log, or nothing.
local task = redis.call('HMGET', key('task', ARGV[3]), 'record', 'length')
return {task[1], task[2], life}
