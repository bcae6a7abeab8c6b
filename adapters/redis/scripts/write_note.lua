-- Changes a note of a life of a task from one text to another; a text begins with '=', '' is none.
-- {1 if it did, life}
--@include life
--@include is_at
local id, name, from, to = ARGV[3], ARGV[5], ARGV[6], ARGV[7]
if not is_at(id, ARGV[4], '', '') then return {0, life} end
local now = redis.call('HGET', key('notes', id), name)
if (now and '=' .. now or '') ~= from then return {0, life} end
if to == '' then redis.call('HDEL', key('notes', id), name)
else redis.call('HSET', key('notes', id), name, string.sub(to, 2)) end
return {1, life}
