-- For each index: how many events before it match. {count ..., life}, or nothing.
-- ARGV[4] is the filter, [5] the incarnation that is meant, or ''; then come the indexes.
--@include life
--@include classes
--@include gone_key
local id = ARGV[3]
local task = redis.call('HMGET', key('task', id), 'incarnation', 'trimmed', 'length', 'classes')
if not task[1] then
--@include absent
  return {life}
end
if ARGV[5] ~= '' and task[1] ~= ARGV[5] then return {life} end
local classes = classes_of(id, ARGV[4], false, class_count(task[3], task[4]))
local answer = {}
for i = 6, #ARGV do
  local position = tonumber(ARGV[i]) + 1
  local sum = 0
  for _, class in ipairs(classes) do
    -- As many come before as before the first that does not: one that is left, or gone.
    local before = place_at(class, position)
    if task[2] then
      local gone = redis.call('ZRANGEBYSCORE', gone_key(id, class.name), int(position), '+inf', 'LIMIT', 0, 1)[1]
      if gone then before = math.min(before, tonumber(gone)) end
    end
    sum = sum + before
  end
  answer[#answer + 1] = sum
end
answer[#answer + 1] = life
return answer
