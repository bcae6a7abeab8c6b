-- Appends events to a live task, of no series and no producer, and marks it for nothing but delivery and
-- the archive: {'ok' or, of tasks with webhooks, 'hooked', with ' untold' behind it where nobody could be
-- woken, from, length, timestamp, life} or {code, details ..., life}.
--
-- The checks are those of checkCommit in core/domain/commit.ts that such a commit can fail.
--
-- Most commits are such, and Redis spends most of its time on them, so they have a script that does without
-- what other commits need. It makes few texts: Lua looks at each byte of one.
--@include begin_commit
--@include append_places

-- Of each event its class, and the event as it is kept but for what comes first in it; then, if one is
-- demanded, the incarnation.
local FIRST, LAST = 12, #ARGV
if not status then
--@include absent
  return {'ABSENT', life}
end
if LAST % 2 == 0 then
  if call('HGET', task_key, 'incarnation') ~= ARGV[LAST] then return {'REPLACED', life} end
  LAST = LAST - 1
end
if status == 'completed' or status == 'failed' or status == 'timeout' or status == 'cancelled' then
  return {'TERMINAL', status, life}
end
for at = FIRST + 1, LAST, 2 do
  length = length + 1
  bytes = bytes + #ARGV[at] - string.find(ARGV[at], '\n', 1, true)
--@include note_page
end
if length > ARGV[7] + 0 or bytes > ARGV[8] + 0 then return {'TASK_FULL', life} end

--@include first_write
local length_text = int(length)
-- A log that had events and is gone is not begun anew.
if from > 0 and not call('XADD', log_key, 'NOMKSTREAM', int(from + 1), time, ARGV[FIRST + 1]) then
  return redis.error_reply('TASKCAST_DAMAGED log')
end
if length == from + 1 then
  if from == 0 then call('XADD', log_key, '1', time, ARGV[FIRST + 1]) end
  append_places(id, '1' .. ARGV[FIRST], struct.pack(POSITION, length))
else
  local places, position = {}, from
  for at = FIRST, LAST, 2 do
    position = position + 1
    if position > from + 1 or from == 0 then call('XADD', log_key, int(position), time, ARGV[at + 1]) end
    local positions = places[ARGV[at]]
    if not positions then
      positions = {}
      places[ARGV[at]] = positions
    end
    positions[#positions + 1] = struct.pack(POSITION, position)
  end
  for class, positions in pairs(places) do append_places(id, '1' .. class, table.concat(positions)) end
end
call('HSET', task_key, 'length', length_text, 'bytes', int(bytes), 'time', time)
--@include mark_task
local ended, outcome = ' 0 ', hooked and 'hooked' or 'ok'
--@include tell_commit
return {outcome, from, length, time, life}
