-- Schedules a task at a revision for work from a time on, or removes it if the time is '': {1 if it did,
-- generation}.
--@include begin
--@include is_at
local id, schedule, at_ms = ARGV[3], base .. ':due:' .. ARGV[7], ARGV[8]
if not is_at(id, ARGV[4], ARGV[5], ARGV[6]) then return {0, generation} end
if at_ms == '' then redis.call('ZREM', schedule, id) else redis.call('ZADD', schedule, at_ms, id) end
if ARGV[7] == 'archive' then
  if at_ms == '' then redis.call('HDEL', key('task', id), 'archive')
  else redis.call('HSET', key('task', id), 'archive', '1') end
end
return {1, generation}
