-- Changes a note of an incarnation from one text to another: {1 if it did, generation}. A text begins with
-- '='; '' means no note.
--@include begin
--@include is_at
local id, name, from, to = ARGV[3], ARGV[5], ARGV[6], ARGV[7]
if not is_at(id, ARGV[4], '', '') then return {0, generation} end
local now = redis.call('HGET', key('notes', id), name)
if (now and '=' .. now or '') ~= from then return {0, generation} end
if to == '' then redis.call('HDEL', key('notes', id), name)
else redis.call('HSET', key('notes', id), name, string.sub(to, 2)) end
return {1, generation}
