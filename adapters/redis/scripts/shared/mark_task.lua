-- Marks the task for the work that comes behind commits. Whether the archive is marked is known of the
-- task, since nearly every commit finds it so.
if ARGV[10] ~= '' and not task[6] then
  call('ZADD', base .. ':due:archive', 'NX', ARGV[10], id)
  call('HSET', task_key, 'archive', '1')
end
if hooked and ARGV[9] ~= '' then call('ZADD', base .. ':due:deliver', 'NX', ARGV[9], id) end
