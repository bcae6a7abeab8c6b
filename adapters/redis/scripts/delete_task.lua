-- Deletes a task with all its data: {1 if it did, else 0, generation}. ARGV[3] is the task, [4] to [6] the
-- expected revision, or [4] is ''. [7] closes the id until that time, which is [8] milliseconds from now;
-- without them the id is open.
--@include begin
--@include is_at
--@include chunks
--@include trimmed_key
--@include text_key
local id = ARGV[3]
local task_key, closed_key = key('task', id), key('closed', id)
if ARGV[7] == '' then
  local closed = redis.call('GET', closed_key)
  if closed and (ARGV[4] == '' or string.match(closed, ' (.*)') == ARGV[4]) then redis.call('UNLINK', closed_key) end
end
local task = redis.call('HMGET', task_key, 'status', 'tags', 'series', 'producers', 'incarnation', 'classes')
if not task[1] then
  -- Only the head may be lost: then removes what the id leads to, and the list entries.
  if ARGV[4] ~= '' or not redis.call('ZSCORE', base .. ':tasks', id) then return {0, generation} end
  task = {'', '[]', int(redis.call('HLEN', key('series', id))), int(redis.call('HLEN', key('producers', id))), ''}
  for _, status in ipairs({'pending', 'assigned', 'running', 'paused', 'blocked', 'completed', 'failed', 'timeout',
    'cancelled'}) do redis.call('ZREM', key('status', status), id) end
end
if ARGV[4] ~= '' and not is_at(id, ARGV[4], ARGV[5], ARGV[6]) then return {0, generation} end
local function remove_event_kind(name) redis.call('UNLINK', open_key(id, name), chunks_key(id, name), trimmed_key(id, name)) end
local names = redis.call('HKEYS', key('classes', id))
for _, name in ipairs(names) do remove_event_kind(name) end
if #names < (task[6] or 1) + 0 then
  -- The hash of event kinds is lost, and a later incarnation would take over their positions: the events name
  -- them.
  local from = '-'
  repeat
    local entries = redis.call('XRANGE', key('log', id), from, '+', 'COUNT', 100)
    for _, entry in ipairs(entries) do
      local name = string.match(entry[2][2], '^,%d+,("[^"\\]*","%a+")%]')
      if name then remove_event_kind('0' .. name) remove_event_kind('1' .. name) end
      from = '(' .. entry[1]
    end
  until #entries < 100
end
for no = 0, tonumber(task[3] or 0) - 1 do redis.call('UNLINK', text_key(id, no)) end
for no = 0, tonumber(task[4] or 0) - 1 do redis.call('UNLINK', key('sent', id) .. ':' .. no) end
for _, kind in ipairs({'log', 'pages', 'classes', 'series', 'newest', 'producers', 'notes'}) do
  redis.call('UNLINK', key(kind, id))
end
for _, tag in ipairs(cjson.decode(task[2])) do redis.call('ZREM', key('tag', tag), id) end
for _, kind in ipairs({'deadline', 'wake', 'lease', 'archive', 'release', 'deliver', 'undelivered', 'clean'}) do
  redis.call('ZREM', base .. ':due:' .. kind, id)
end
redis.call('ZREM', key('status', task[1]), id)
redis.call('ZREM', base .. ':tasks', id)
redis.call('UNLINK', task_key)
-- Not first: a full Redis refuses a script whose first write may need memory, and the deletions free some.
if ARGV[7] ~= '' then redis.call('SET', closed_key, ARGV[7] .. ' ' .. task[5], 'PX', ARGV[8]) end
return {1, generation}
