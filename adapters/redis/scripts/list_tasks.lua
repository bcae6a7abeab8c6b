-- Returns the ids of the newest tasks after a list key: {more, created at, id ..., generation}. If `more` is
-- 2, the last pair only marks how far the list was read.
--@include begin
--@include is_before
--@include matches_type
local statuses = ARGV[3] ~= '' and cjson.decode(ARGV[3]) or nil
local types = ARGV[4] ~= '' and cjson.decode(ARGV[4]) or nil
local tag, limit = ARGV[5], tonumber(ARGV[6])
local after_score, after_id, priority = ARGV[7], ARGV[8], ARGV[9]
local MAX_LOOKED_AT = 2000

-- Opens a sorted set for reading in chunks, newest first.
local function source(name)
  local offset, chunk, at = 0, {}, 1
  local start = after_score == '' and '+inf' or after_score
  return function()
    while true do
      if at > #chunk then
        chunk = redis.call('ZREVRANGEBYSCORE', name, start, '-inf', 'WITHSCORES', 'LIMIT', offset, 100)
        offset, at = offset + 100, 1
        if #chunk == 0 then return nil end
      end
      local id, score = chunk[at], tonumber(chunk[at + 1])
      at = at + 2
      if after_score == '' or score < tonumber(after_score) or is_before(id, after_id) then
        return { id = id, score = score }
      end
    end
  end
end

local sources = {}
if tag ~= '' then sources = { source(key('tag', tag)) }
elseif statuses then
  for _, status in ipairs(statuses) do sources[#sources + 1] = source(key('status', status)) end
else sources = { source(base .. ':tasks') } end

local heads = {}
for i, read in ipairs(sources) do heads[i] = read() or false end
local answer, looked, found = {0}, 0, 0
while true do
  local best
  for i, head in ipairs(heads) do
    if head and (not best or head.score > heads[best].score
      or (head.score == heads[best].score and is_before(heads[best].id, head.id))) then best = i end
  end
  if not best then break end
  local head = heads[best]
  heads[best] = sources[best]() or false
  looked = looked + 1
  local ok = true
  if types or priority ~= '' or (tag ~= '' and statuses) then
    local task = redis.call('HMGET', key('task', head.id), 'type', 'status', 'priority')
    -- A task whose head is lost is in no list; requests for it report the loss.
    ok = task[2] ~= false
    if ok and types then ok = matches_type(task[1], types) end
    if ok and priority ~= '' then ok = (task[3] or '0') == priority end
    if ok and statuses then
      ok = false
      for _, status in ipairs(statuses) do ok = ok or status == task[2] end
    end
  end
  if ok and found == limit then answer[1] = 1; break end
  if ok then
    found = found + 1
    answer[#answer + 1] = int(head.score)
    answer[#answer + 1] = head.id
  elseif looked >= MAX_LOOKED_AT then
    answer[1] = 2
    answer[#answer + 1] = int(head.score)
    answer[#answer + 1] = head.id
    break
  end
end
answer[#answer + 1] = generation
return answer
