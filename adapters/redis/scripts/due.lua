-- Returns the tasks scheduled for some kinds of work, earliest first, one more of each than the limit: {kind, id, at ...,
-- generation}.
--@include begin
local limit = tonumber(ARGV[3])
local answer = {}
for i = 4, #ARGV do
  local found = redis.call('ZRANGE', base .. ':due:' .. ARGV[i], 0, limit, 'WITHSCORES')
  for j = 1, #found, 2 do
    answer[#answer + 1] = ARGV[i]
    answer[#answer + 1] = found[j]
    answer[#answer + 1] = found[j + 1]
  end
end
answer[#answer + 1] = generation
return answer
