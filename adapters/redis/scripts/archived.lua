-- Records that the archive has a task as of a revision. Returns {1 if the task still exists, else 0,
-- generation}.
--@include begin
--@include is_at
local id, again_at, release_at = ARGV[3], ARGV[7], ARGV[8]
if redis.call('EXISTS', key('task', id)) == 0 then return {0, generation} end
if not is_at(id, ARGV[4], ARGV[5], ARGV[6]) then
  redis.call('ZADD', base .. ':due:archive', again_at, id)
  redis.call('HSET', key('task', id), 'archive', '1')
  return {0, generation}
end
redis.call('ZREM', base .. ':due:archive', id)
redis.call('HDEL', key('task', id), 'archive')
if release_at ~= '' then redis.call('ZADD', base .. ':due:release', release_at, id) end
return {1, generation}
