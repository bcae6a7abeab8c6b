-- One atomic change of one task: checks what is expected, then writes, or refuses whole.
--
-- Answers {'ok' or, of tasks with webhooks, 'hooked', from, length, timestamp, {position in the commit,
-- ...} ...} or {code, details ...}, and the life.
local session, number, id, expect = ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6]
local version, incarnation = ARGV[7], ARGV[8]
local now_ms, max_events, max_bytes = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
local marks, channel, channel_of_all, publish = ARGV[12], ARGV[13], ARGV[14], ARGV[15]
local has_record = ARGV[16] ~= ''

local function refuse(...)
  local answer = {...}
  answer[#answer + 1] = life
  return answer
end

-- A client library may send a commit again after a connection broke. Numbers of one process only
-- grow, so one that is not higher than the last was carried out, or overtaken: it is never run twice.
local session_key = base .. ':session:' .. session
local last = redis.call('GET', session_key)
if last and tonumber(last) >= number then
  return redis.error_reply('TASKCAST_REPEATED the commit was sent twice')
end

local task_key, log_key = key('task', id), key('log', id)
local task = redis.call('HMGET', task_key, 'incarnation', 'version', 'status', 'length', 'bytes', 'time',
  'hooked', 'trimmed')
local status = task[3]
local length, bytes = tonumber(task[4] or 0), tonumber(task[5] or 0)

if expect == 'absent' then
  if task[1] then return refuse('EXISTS') end
elseif not task[1] then
  return refuse('ABSENT')
elseif expect == 'at' and (task[2] ~= version or task[1] ~= incarnation) then
  return refuse('CONFLICT')
end

-- The drafts: flags, then the fields that these announce.
local drafts, at = {}, 27
for i = 1, tonumber(ARGV[26]) do
  local flags = ARGV[at]
  local draft = { entropy = ARGV[at + 1], class = ARGV[at + 2], data = ARGV[at + 3] }
  at = at + 4
  if string.find(flags, 's', 1, true) then
    draft.series, draft.mode, draft.field = ARGV[at], ARGV[at + 1], ARGV[at + 2]
    at = at + 3
    if string.find(flags, 'd', 1, true) then draft.delta = ARGV[at]; at = at + 1 end
  end
  if string.find(flags, 'p', 1, true) then
    draft.producer, draft.epoch, draft.seq = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
    at = at + 3
  end
  drafts[i] = draft
end

-- Series as they are in the store, read once.
local series_key = key('series', id)
local known_series = {}
local function series_of(name)
  local series = known_series[name]
  if series == nil then
    local stored = redis.call('HGET', series_key, name)
    series = stored and cmsgpack.unpack(stored) or false
    known_series[name] = series
  end
  return series
end

local producers = {}
local producers_key = key('producers', id)

if expect == 'live' then
  -- Which drafts repeat what their producer has sent, as if they were taken one after another.
  local next_index, fresh, fresh_bytes = length, 0, 0
  for i, draft in ipairs(drafts) do
    if draft.producer then
      local producer = producers[draft.producer]
      if producer == nil then
        local stored = redis.call('HGET', producers_key, draft.producer)
        if stored then
          local no, epoch, seq = string.match(stored, '^(%d+) (%d+) (%d+)$')
          producer = { no = no, epoch = tonumber(epoch), seq = tonumber(seq), added = {}, stored = tonumber(seq) }
        else
          producer = false
        end
        producers[draft.producer] = producer
      end
      if producer and draft.epoch < producer.epoch then
        return refuse('PRODUCER_FENCED', i - 1, int(producer.epoch))
      end
      local same = producer and producer.epoch == draft.epoch
      local expected = same and producer.seq or 0
      if draft.seq > expected then return refuse('SEQUENCE_GAP', i - 1, int(expected)) end
      if draft.seq < expected then
        draft.repeats = producer.added[draft.seq]
        if not draft.repeats then
          local seq = int(draft.seq + 1)
          local found = redis.call('XRANGE', key('sent', id) .. ':' .. producer.no, seq, seq)
          -- What was trimmed from the beginning of the log is forgotten here, too: then it is nowhere.
          draft.repeats = found[1] and tonumber(string.match(found[1][1], '%-(%d+)$')) or -1
        end
      else
        if not same then
          producer = {
            no = producer and producer.no, epoch = draft.epoch, seq = 0, added = {}, stored = 0, fresh = true
          }
          producers[draft.producer] = producer
        end
        producer.added[draft.seq] = next_index
        producer.seq = producer.seq + 1
      end
    end
    if not draft.repeats then
      next_index = next_index + 1
      fresh = fresh + 1
      fresh_bytes = fresh_bytes + #draft.data
    end
  end
  -- Only ended tasks are trimmed.
  if task[8] then
    for _, draft in ipairs(drafts) do
      if draft.repeats and draft.repeats < length then
        local position = int(draft.repeats + 1)
        if #redis.call('XRANGE', log_key, position, position) == 0 then return refuse('TERMINAL', status) end
      end
    end
  end
  if fresh > 0 then
    if status == 'completed' or status == 'failed' or status == 'timeout' or status == 'cancelled' then
      return refuse('TERMINAL', status)
    end
    local begun = {}
    for i, draft in ipairs(drafts) do
      if draft.series and not draft.repeats then
        local series = series_of(draft.series) or begun[draft.series]
        if not series then
          series = { mode = draft.mode ~= '' and draft.mode or 'keep-all', field = draft.field }
          begun[draft.series] = series
        end
        local accumulates = series.mode == 'accumulate'
        if (draft.mode ~= '' and draft.mode ~= series.mode)
          or (accumulates and series.field ~= draft.field) then
          return refuse('SERIES_CONFLICT', i - 1, series.mode, accumulates and series.field or '')
        end
      end
    end
    if length + fresh > max_events or bytes + fresh_bytes > max_bytes then return refuse('TASK_FULL') end
  end
end

-- Nothing is refused any more. The first write is one that a full Redis refuses, and with it all.
redis.call('SET', session_key, ARGV[4], 'EX', 3600)

local from = length
local time = int(math.max(now_ms, tonumber(task[6] or 0)))
local hooked = task[7] or ARGV[25] == '1'
local answer = {hooked and 'hooked' or 'ok', from, 0, time}
local counts, appends = {}, {}

for i, draft in ipairs(drafts) do
  if draft.repeats then
    local index = draft.repeats
    draft.index = index
  else
    local index = length
    length = length + 1
    bytes = bytes + #draft.data
    local head = '[' .. time .. ',' .. draft.entropy .. ',' .. draft.class
    local plain = true
    if draft.series then
      local series = series_of(draft.series)
      if not series then
        local mode = draft.mode ~= '' and draft.mode or 'keep-all'
        series = {
          no = redis.call('HINCRBY', task_key, 'series', 1) - 1,
          mode = mode,
          field = mode == 'accumulate' and draft.field or '',
          classes = {},
        }
        known_series[draft.series] = series
      end
      series.newest = index
      series.changed = true
      plain = series.mode == 'keep-all'
      if not plain and series.classes then
        local known = false
        for _, class in ipairs(series.classes) do known = known or class == draft.class end
        if not known then
          if #series.classes == 8 then series.classes = false
          else series.classes[#series.classes + 1] = draft.class end
        end
      end
      if series.mode == 'accumulate' then
        if draft.delta then
          series.text = true
          appends[series.no] = appends[series.no] or {}
          table.insert(appends[series.no], draft.delta)
        else
          series.text = false
          appends[series.no] = nil
          redis.call('DEL', text_key(id, series.no))
        end
      end
      head = head .. ',' .. draft.series .. ',"' .. series.mode .. '"'
      if series.field ~= '' then head = head .. ',' .. series.field end
      if draft.mode == '' then
        answer[#answer + 1] = {i - 1, series.mode, series.field}
      end
    end
    local class_name = (plain and '1' or '0') .. draft.class
    local class = counts[class_name]
    if not class then
      local stored = redis.call('HGET', key('classes', id), class_name)
      if stored then
        local no, count = string.match(stored, '^(%d+) (%d+)$')
        class = { no = no, count = tonumber(count) }
      else
        class = { no = int(redis.call('HINCRBY', task_key, 'classes', 1) - 1), count = 0 }
      end
      counts[class_name] = class
    end
    local position = int(index + 1)
    redis.call('XADD', log_key, position .. '-0', 'e', head .. ']\n' .. draft.data)
    redis.call('XADD', places_key(id, class.no), position .. '-' .. int(class.count), '', '')
    class.count = class.count + 1
  end
end

for name, class in pairs(counts) do
  redis.call('HSET', key('classes', id), name, class.no .. ' ' .. int(class.count))
end
for no, parts in pairs(appends) do redis.call('APPEND', text_key(id, no), table.concat(parts)) end
for name, series in pairs(known_series) do
  if series and series.changed then
    series.changed = nil
    redis.call('HSET', series_key, name, cmsgpack.pack(series))
    if series.mode ~= 'keep-all' then redis.call('ZADD', key('newest', id), series.newest, name) end
  end
end
for name, producer in pairs(producers) do
  if producer and next(producer.added) then
    if not producer.no then
      producer.no = int(redis.call('HINCRBY', task_key, 'producers', 1) - 1)
    end
    local sent_key = key('sent', id) .. ':' .. producer.no
    -- A new epoch: the numbers of the one before mean nothing any more.
    if producer.fresh then redis.call('DEL', sent_key) end
    for seq = producer.stored, producer.seq - 1 do
      redis.call('XADD', sent_key, int(seq + 1) .. '-' .. int(producer.added[seq]), '', '')
    end
    redis.call('HSET', producers_key, name, producer.no .. ' ' .. int(producer.epoch) .. ' ' .. int(producer.seq))
  end
end
for i, draft in ipairs(drafts) do
  if draft.repeats then
    local found = redis.call('XRANGE', log_key, int(draft.repeats + 1), int(draft.repeats + 1))
    answer[#answer + 1] = {i - 1, int(draft.repeats), found[1][2][2], true}
  end
end

if length > from then redis.call('HSET', task_key, 'time', time) end
if length > from or has_record then
  redis.call('HSET', task_key, 'length', int(length), 'bytes', int(bytes))
  for kind, at_ms in string.gmatch(marks, '(%a+) (%d+)') do
    if kind ~= 'deliver' or hooked then redis.call('ZADD', base .. ':due:' .. kind, 'NX', at_ms, id) end
  end
end

local ended = '0'
if has_record then
  local record, new_version, new_incarnation, new_status = ARGV[16], ARGV[17], ARGV[18], ARGV[19]
  redis.call('HSET', task_key, 'record', record, 'version', new_version,
    'incarnation', new_incarnation, 'status', new_status)
  if status then redis.call('ZREM', key('status', status), id) end
  redis.call('ZADD', key('status', new_status), ARGV[20], id)
  if expect == 'absent' then
    redis.call('ZADD', base .. ':tasks', ARGV[20], id)
    redis.call('HSET', task_key, 'tags', ARGV[21], 'type', ARGV[24])
    if hooked then redis.call('HSET', task_key, 'hooked', '1') end
    for _, tag in ipairs(cjson.decode(ARGV[21])) do redis.call('ZADD', key('tag', tag), ARGV[20], id) end
  end
  for i, kind in ipairs({'deadline', 'wake'}) do
    local at_ms = ARGV[21 + i]
    if at_ms == '' then redis.call('ZREM', base .. ':due:' .. kind, id)
    else redis.call('ZADD', base .. ':due:' .. kind, at_ms, id) end
  end
  if new_status == 'completed' or new_status == 'failed' or new_status == 'timeout'
    or new_status == 'cancelled' then ended = '1' end
end

if publish ~= '' and length > from then
  local signal = int(from) .. ' ' .. int(length) .. ' ' .. ended .. ' ' .. id
  redis.call(publish, channel, signal)
  redis.call(publish, channel_of_all, signal)
end
answer[3] = length
answer[#answer + 1] = life
return answer
