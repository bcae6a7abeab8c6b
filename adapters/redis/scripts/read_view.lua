-- The folds of all series that went on after an index:
-- {incarnation, status, length, entropy of the newest event, {series, mode, field, classes, index, event begins, goes on, text} ..., life}.
--@include life
--@include text_key
--@include damaged
--@include entropy_at
local id = ARGV[3]
local task = redis.call('HMGET', key('task', id), 'incarnation', 'status', 'length', 'trimmed', 'folds')
if not task[1] then
--@include absent
  return {life}
end
local is_whole = not task[4] -- No event was trimmed, nor any series with it.
if is_whole and task[5] and redis.call('ZCARD', key('newest', id)) < task[5] + 0 then damaged('newest') end
local answer = {task[1], task[2], tonumber(task[3]), entropy_at(id, task[3] - 1)}
for _, name in ipairs(redis.call('ZRANGEBYSCORE', key('newest', id), '(' .. ARGV[4], '+inf')) do
  local stored = redis.call('HGET', key('series', id), name)
  if not stored then damaged('series') end
  local series = cmsgpack.unpack(stored)
  local position = int(series.newest + 1)
  local found = redis.call('XRANGE', key('log', id), position, position)
  -- A series goes with its last event; a fold whose newest was trimmed alone cannot be shown.
  if found[1] then
    local classes = series.classes and '[[' .. table.concat(series.classes, '],[') .. ']]' or ''
    local text = false
    if series.text then
      text = redis.call('GET', text_key(id, series.no))
      if not text or series.text ~= true and #text ~= series.text then damaged('text') end
    end
    answer[#answer + 1] = {name, series.mode, series.field, classes, series.newest, found[1][2][1], found[1][2][2], text}
  elseif is_whole then damaged('log') end
end
answer[#answer + 1] = life
return answer
