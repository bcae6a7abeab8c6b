-- Nothing is refused from here on. A full Redis refuses this first write, and with it the whole script.
call('SET', session_key, ARGV[4], 'EX', 3600)
local time = ARGV[6]
if task[4] and task[4] + 0 > time + 0 then time = task[4] end
if pages then call('APPEND', pages_key(id), table.concat(pages)) end
