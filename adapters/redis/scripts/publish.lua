-- Appends events without series and producer to a live task, and schedules only delivery and archiving.
-- Returns {outcome, from, length, timestamp, generation} or {code, details ..., generation}; the outcome is
-- as in commit.lua.
--
-- The checks are those of checkCommit in core/domain/commits/commit.ts that such a commit can fail.
--
-- Most commits are of this kind and take most of the time of Redis, so this script leaves out what other
-- commits need. It makes few strings, since Lua hashes every byte of each.
--@include begin_commit
--@include append_positions

-- For each event its event kind, and the stored event without its first part; then the expected incarnation,
-- if any.
local FIRST, LAST = 12, #ARGV
if not status then
--@include absent
  return {'ABSENT', generation}
end
if LAST % 2 == 0 then
  if call('HGET', task_key, 'incarnation') ~= ARGV[LAST] then return {'REPLACED', generation} end
  LAST = LAST - 1
end
if status == 'completed' or status == 'failed' or status == 'timeout' or status == 'cancelled' then
  return {'TERMINAL', status, generation}
end
for at = FIRST + 1, LAST, 2 do
  length = length + 1
  bytes = bytes + #ARGV[at] - string.find(ARGV[at], '\n', 1, true)
--@include note_page
end
if length > ARGV[7] + 0 or bytes > ARGV[8] + 0 then return {'TASK_FULL', generation} end

--@include first_write
local length_text = int(length)
-- A log whose events are gone must not be started again.
if from > 0 and not call('XADD', log_key, 'NOMKSTREAM', int(from + 1), time, ARGV[FIRST + 1]) then
  return redis.error_reply('TASKCAST_DAMAGED log')
end
if length == from + 1 then
  if from == 0 then call('XADD', log_key, '1', time, ARGV[FIRST + 1]) end
  append_positions(id, '1' .. ARGV[FIRST], struct.pack(POSITION, length))
else
  local by_kind, position = {}, from
  for at = FIRST, LAST, 2 do
    position = position + 1
    if position > from + 1 or from == 0 then call('XADD', log_key, int(position), time, ARGV[at + 1]) end
    local positions = by_kind[ARGV[at]]
    if not positions then
      positions = {}
      by_kind[ARGV[at]] = positions
    end
    positions[#positions + 1] = struct.pack(POSITION, position)
  end
  for event_kind, positions in pairs(by_kind) do
    append_positions(id, '1' .. event_kind, table.concat(positions))
  end
end
call('HSET', task_key, 'length', length_text, 'bytes', int(bytes), 'time', time)
--@include schedule_task
local ended, outcome = ' 0 ', hooked and 'hooked' or 'ok'
--@include announce_commit
return {outcome, from, length, time, generation}
