-- Returns tasks scheduled for a kind of work, after a given entry: {id, at ..., generation}.
--@include begin
--@include is_before
local schedule, limit = base .. ':due:' .. ARGV[3], tonumber(ARGV[4])
local after_ms, after_id = ARGV[5], ARGV[6]
local CHUNK = 200
local answer, offset = {}, 0
while #answer < 2 * limit do
  local found = redis.call('ZRANGEBYSCORE', schedule, after_ms, '+inf', 'WITHSCORES', 'LIMIT', offset, CHUNK)
  for i = 1, #found, 2 do
    local is_after = tonumber(found[i + 1]) > (tonumber(after_ms) or -math.huge)
      or is_before(after_id, found[i])
    if is_after and #answer < 2 * limit then
      answer[#answer + 1] = found[i]
      answer[#answer + 1] = found[i + 1]
    end
  end
  if #found < 2 * CHUNK then break end
  offset = offset + CHUNK
end
answer[#answer + 1] = generation
return answer
