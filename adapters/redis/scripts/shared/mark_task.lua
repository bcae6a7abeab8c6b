-- Marks the task for the work that comes behind commits.
if ARGV[10] ~= '' then
  for kind, at_ms in string.gmatch(ARGV[10], '(%a+) (%d+)') do
    call('ZADD', base .. ':due:' .. kind, 'NX', at_ms, id)
  end
end
if hooked and ARGV[9] ~= '' then call('ZADD', base .. ':due:deliver', 'NX', ARGV[9], id) end
