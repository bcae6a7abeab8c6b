-- Sets the expiry of leases that their tasks have: {1 or 0 for each, generation}. For each, the task, the token and
-- the time.
--@include begin
local answer = {}
for at = 3, #ARGV, 3 do
  local id, lease, at_ms = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local is_held = redis.call('HGET', key('task', id), 'lease') == lease
  if is_held then redis.call('ZADD', base .. ':due:lease', at_ms, id) end
  answer[#answer + 1] = is_held and 1 or 0
end
answer[#answer + 1] = generation
return answer
