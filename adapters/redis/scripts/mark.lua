-- Marks a task for work from a time on, or not at all if that is '', where it is at a mark: {1 if so, life}.
--@include life
--@include is_at
local id, marks, at_ms = ARGV[3], base .. ':due:' .. ARGV[7], ARGV[8]
if not is_at(id, ARGV[4], ARGV[5], ARGV[6]) then return {0, life} end
if at_ms == '' then redis.call('ZREM', marks, id) else redis.call('ZADD', marks, at_ms, id) end
if ARGV[7] == 'archive' then
  if at_ms == '' then redis.call('HDEL', key('task', id), 'archive')
  else redis.call('HSET', key('task', id), 'archive', '1') end
end
return {1, life}
