-- Returns folds of series in the order of their newest events: {incarnation, status, length, scanned to,
-- entropy of the newest event, {series, mode, field, event kinds, index, event begins, goes on, text} ...,
-- generation}, or nothing.
--
-- Reads a page at a time, because Redis serves nobody else while a script runs.
--@include begin
--@include text_key
--@include damaged
--@include entropy_at
local id, after, limit = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[6])
local max_bytes = ARGV[7] == '' and math.huge or tonumber(ARGV[7])
local with_texts, only = ARGV[8] == '1', ARGV[9]
local task = redis.call('HMGET', key('task', id), 'incarnation', 'status', 'length', 'trimmed', 'folds')
if not task[1] then
--@include absent
  return {generation}
end
local is_whole = not task[4] -- No event was trimmed, nor any series with it.
if is_whole and task[5] and redis.call('ZCARD', key('newest', id)) < task[5] + 0 then damaged('newest') end
local length = tonumber(task[3])
local through = length - 1
if ARGV[5] ~= '' then through = math.min(through, tonumber(ARGV[5])) end
local answer = {task[1], task[2], length, math.max(through, after), entropy_at(id, length - 1)}
local SCANNED_TO, HEAD = 4, #answer

-- One extra entry shows whether there are more.
local names
if only == '' then
  names = redis.call('ZRANGEBYSCORE', key('newest', id), '(' .. ARGV[4], int(math.max(through, 0)),
    'LIMIT', 0, int(limit + 1))
  if through < 0 then names = {} end
else
  local newest = tonumber(redis.call('ZSCORE', key('newest', id), only) or -1)
  names = newest > after and newest <= through and {only} or {}
end
local bytes, scanned_to = 0, nil
for i, name in ipairs(names) do
  if scanned_to and (#answer - HEAD >= limit or bytes >= max_bytes) then
    answer[SCANNED_TO] = scanned_to
    break
  end
  local stored = redis.call('HGET', key('series', id), name)
  if not stored then damaged('series') end
  local series = cmsgpack.unpack(stored)
  local position = int(series.newest + 1)
  local found = redis.call('XRANGE', key('log', id), position, position)
  -- A series is removed with its last event; a fold whose newest event alone was trimmed cannot be shown.
  if found[1] then
    local event_kinds = series.classes and '[[' .. table.concat(series.classes, '],[') .. ']]' or ''
    local text = false
    if with_texts and series.text then
      text = redis.call('GET', text_key(id, series.no))
      if not text or series.text ~= true and #text ~= series.text then damaged('text') end
    end
    local goes_on = found[1][2][2]
    answer[#answer + 1] = {name, series.mode, series.field, event_kinds, series.newest, found[1][2][1], goes_on, text}
    bytes = bytes + #goes_on - string.find(goes_on, '\n', 1, true) + (text and #text or 0)
  elseif is_whole then damaged('log') end
  scanned_to = series.newest
  -- Some of the entries could not be shown.
  if i > limit then answer[SCANNED_TO] = scanned_to end
end
answer[#answer + 1] = generation
return answer
