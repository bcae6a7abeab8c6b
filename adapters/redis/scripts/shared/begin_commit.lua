-- The start of every commit. ARGV[3] is the session of a process, [4] the number of the commit in it, [5] the
-- task, [6] the time, [7] and [8] the limits of events and bytes, [9] when to deliver webhooks, [10] when to
-- archive, [11] the command that announces the commit. The remaining arguments differ.
--@include keys
--@include pages
local call, ARGV = redis.call, ARGV
local session_key = base .. ':session:' .. ARGV[3]
local known = call('MGET', base .. ':life', session_key)
local generation = known[1]
--@include check_generation

-- A client library may resend a commit after a broken connection. The numbers of a process only grow, so a
-- number not above the last one was run or overtaken: it must not run again.
if known[2] and known[2] + 0 >= ARGV[4] + 0 then
  return redis.error_reply('TASKCAST_REPEATED the commit was sent twice')
end

local id = ARGV[5]
local task_key, log_key = key('task', id), key('log', id)
local task = call('HMGET', task_key, 'status', 'length', 'bytes', 'time', 'hooked', 'archive')
local status, from_text, hooked = task[1], task[2] or '0', task[5]
local from = from_text + 0
local length, bytes = from, (task[3] or 0) + 0
local pages, next_page = nil, bytes - bytes % PAGE_BYTES + PAGE_BYTES
