-- Moves the times of those tasks that are still due for a kind of work: {id ..., generation}.
--@include begin
local schedule = base .. ':due:' .. ARGV[3]
local now_ms, until_ms = tonumber(ARGV[4]), ARGV[5]
local answer = {}
for i = 6, #ARGV do
  local at = redis.call('ZSCORE', schedule, ARGV[i])
  if at and tonumber(at) <= now_ms then
    redis.call('ZADD', schedule, until_ms, ARGV[i])
    answer[#answer + 1] = ARGV[i]
  end
end
answer[#answer + 1] = generation
return answer
