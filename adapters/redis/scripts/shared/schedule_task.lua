-- Schedules the task for work after commits. The task itself records that it is scheduled for archiving, since nearly every commit
-- finds it set.
if ARGV[10] ~= '' and not task[6] then
  call('ZADD', base .. ':due:archive', 'NX', ARGV[10], id)
  call('HSET', task_key, 'archive', '1')
end
if hooked and ARGV[9] ~= '' then call('ZADD', base .. ':due:deliver', 'NX', ARGV[9], id) end
