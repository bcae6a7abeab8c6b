-- Counts, for each index, the matching events before it: {count ..., generation}, or nothing. ARGV[4] is the
-- filter, [5] the expected incarnation or ''; the indexes follow.
--@include begin
--@include event_kinds
--@include trimmed_key
local id = ARGV[3]
local task = redis.call('HMGET', key('task', id), 'incarnation', 'trimmed', 'length', 'classes')
if not task[1] then
--@include absent
  return {generation}
end
if ARGV[5] ~= '' and task[1] ~= ARGV[5] then return {generation} end
local event_kinds = event_kinds_of(id, ARGV[4], false, event_kind_count(task[3], task[4]))
local answer = {}
for i = 6, #ARGV do
  local position = tonumber(ARGV[i]) + 1
  local sum = 0
  for _, event_kind in ipairs(event_kinds) do
    -- The rank of the first event at or after the index, remaining or trimmed, is the number before it.
    local before = rank_at(event_kind, position)
    if task[2] then
      local gone = redis.call('ZRANGEBYSCORE', trimmed_key(id, event_kind.name), int(position), '+inf', 'LIMIT', 0, 1)[1]
      if gone then before = math.min(before, tonumber(gone)) end
    end
    sum = sum + before
  end
  answer[#answer + 1] = sum
end
answer[#answer + 1] = generation
return answer
