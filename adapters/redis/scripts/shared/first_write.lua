-- Nothing is refused any more. The first write is one that a full Redis refuses, and with it all.
call('SET', session_key, ARGV[4], 'EX', 3600)
local time = ARGV[6]
if task[4] and task[4] + 0 > time + 0 then time = task[4] end
if pages then call('APPEND', pages_key(id), table.concat(pages)) end
