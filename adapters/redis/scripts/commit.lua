-- One atomic change of one task: checks what is expected, then writes, or refuses whole.
--
-- Answers {'ok' or, of tasks with webhooks, 'hooked', from, length, timestamp, {position in the commit,
-- ...} ...} or {code, details ...}, and the life.
--
-- Most commits are one plain event, and Redis spends most of its time here. So arguments that few
-- commits need come last, what is read and written of the task is one command each, texts that are
-- known are not made again, and numbers come of `+ 0`, half the work of tonumber(). Counted with
-- callgrind: 195 000 instructions for one event, and 41 000 for each of a hundred.
local call = redis.call
local session, number, id, expect = ARGV[3], ARGV[4] + 0, ARGV[5], ARGV[6]
local time, max_events, max_bytes = ARGV[7], ARGV[8] + 0, ARGV[9] + 0
local deliver_at, marks, publish, draft_count = ARGV[10], ARGV[11], ARGV[12], ARGV[13] + 0

local function refuse(...)
  local answer = {...}
  answer[#answer + 1] = life
  return answer
end

-- A client library may send a commit again after a connection broke. Numbers of one process only
-- grow, so one that is not higher than the last was carried out, or overtaken: it is never run twice.
local session_key = base .. ':session:' .. session
local last = call('GET', session_key)
if last and last + 0 >= number then
  return redis.error_reply('TASKCAST_REPEATED the commit was sent twice')
end

local task_key, log_key = key('task', id), key('log', id)
local task = call('HMGET', task_key, 'status', 'length', 'bytes', 'time', 'hooked', 'trimmed')
local status = task[1]
local from_text = task[2] or '0'
local length, bytes = from_text + 0, (task[3] or 0) + 0

-- The drafts: flags, then the fields that these announce.
local drafts, at = {}, 14
for i = 1, draft_count do
  local flags = ARGV[at]
  local draft = { entropy = ARGV[at + 1], class = ARGV[at + 2], data = ARGV[at + 3] }
  at = at + 4
  if flags ~= '' then
    if string.find(flags, 's', 1, true) then
      draft.series, draft.mode, draft.field = ARGV[at], ARGV[at + 1], ARGV[at + 2]
      at = at + 3
      if string.find(flags, 'd', 1, true) then draft.delta = ARGV[at]; at = at + 1 end
    end
    if string.find(flags, 'p', 1, true) then
      draft.producer, draft.epoch, draft.seq = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
      at = at + 3
    end
  end
  drafts[i] = draft
end
-- What is left is the record, if there is one, and what it replaces.
local has_record = ARGV[at] ~= nil

if expect == 'absent' then
  if status then return refuse('EXISTS') end
elseif not status then
  return refuse('ABSENT')
elseif expect == 'at' then
  local now = call('HMGET', task_key, 'version', 'incarnation')
  if now[1] ~= ARGV[at + 10] or now[2] ~= ARGV[at + 11] then return refuse('CONFLICT') end
end

-- Series as they are in the store, read once.
local series_key = key('series', id)
local known_series = {}
local function series_of(name)
  local series = known_series[name]
  if series == nil then
    local stored = call('HGET', series_key, name)
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
  for i = 1, draft_count do
    local draft = drafts[i]
    if draft.producer then
      local producer = producers[draft.producer]
      if producer == nil then
        local stored = call('HGET', producers_key, draft.producer)
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
          local found = call('XRANGE', key('sent', id) .. ':' .. producer.no, seq, seq)
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
  if task[6] then
    for _, draft in ipairs(drafts) do
      if draft.repeats and draft.repeats < length then
        local position = int(draft.repeats + 1)
        if #call('XRANGE', log_key, position, position) == 0 then return refuse('TERMINAL', status) end
      end
    end
  end
  if fresh > 0 then
    if status == 'completed' or status == 'failed' or status == 'timeout' or status == 'cancelled' then
      return refuse('TERMINAL', status)
    end
    local begun = {}
    for i = 1, draft_count do
      local draft = drafts[i]
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
call('SET', session_key, ARGV[4], 'EX', 3600)

local from = length
if task[4] and task[4] + 0 > time + 0 then time = task[4] end
local hooked = task[5] or (has_record and ARGV[at + 9] == '1')
local answer = {hooked and 'hooked' or 'ok', from, 0, time}
local counts, appends, length_text = {}, {}, from_text

for i = 1, draft_count do
  local draft = drafts[i]
  if draft.repeats then
    local index = draft.repeats
    draft.index = index
  else
    local index = length
    length = length + 1
    bytes = bytes + #draft.data
    local of_series = ''
    local plain = true
    if draft.series then
      local series = series_of(draft.series)
      if not series then
        local mode = draft.mode ~= '' and draft.mode or 'keep-all'
        series = {
          no = call('HINCRBY', task_key, 'series', 1) - 1,
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
          call('DEL', text_key(id, series.no))
        end
      end
      of_series = ',' .. draft.series .. ',"' .. series.mode .. '"'
      if series.field ~= '' then of_series = of_series .. ',' .. series.field end
      if draft.mode == '' then
        answer[#answer + 1] = {i - 1, series.mode, series.field}
      end
    end
    local class_name = (plain and '1' or '0') .. draft.class
    local class = counts[class_name]
    if not class then
      local stored = call('HGET', key('classes', id), class_name)
      if stored then
        local no, count = string.match(stored, '^(%d+) (%d+)$')
        class = { no = no, count = count + 0, text = count }
      else
        class = { no = int(call('HINCRBY', task_key, 'classes', 1) - 1), count = 0, text = '0' }
      end
      counts[class_name] = class
    end
    length_text = int(length)
    call('XADD', log_key, length_text .. '-0', 'e',
      '[' .. time .. ',' .. draft.entropy .. ',' .. draft.class .. of_series .. ']\n' .. draft.data)
    class.places = class.places or places_key(id, class.no)
    call('XADD', class.places, length_text .. '-' .. class.text, '', '')
    class.count = class.count + 1
    class.text = int(class.count)
  end
end

for name, class in pairs(counts) do
  call('HSET', key('classes', id), name, class.no .. ' ' .. class.text)
end
for no, parts in pairs(appends) do call('APPEND', text_key(id, no), table.concat(parts)) end
for name, series in pairs(known_series) do
  if series and series.changed then
    series.changed = nil
    call('HSET', series_key, name, cmsgpack.pack(series))
    if series.mode ~= 'keep-all' then call('ZADD', key('newest', id), series.newest, name) end
  end
end
for name, producer in pairs(producers) do
  if producer and next(producer.added) then
    if not producer.no then
      producer.no = int(call('HINCRBY', task_key, 'producers', 1) - 1)
    end
    local sent_key = key('sent', id) .. ':' .. producer.no
    -- A new epoch: the numbers of the one before mean nothing any more.
    if producer.fresh then call('DEL', sent_key) end
    for seq = producer.stored, producer.seq - 1 do
      call('XADD', sent_key, int(seq + 1) .. '-' .. int(producer.added[seq]), '', '')
    end
    call('HSET', producers_key, name, producer.no .. ' ' .. int(producer.epoch) .. ' ' .. int(producer.seq))
  end
end
for i = 1, draft_count do
  local draft = drafts[i]
  if draft.repeats then
    local found = call('XRANGE', log_key, int(draft.repeats + 1), int(draft.repeats + 1))
    answer[#answer + 1] = {i - 1, int(draft.repeats), found[1][2][2], true}
  end
end

if length > from then
  call('HSET', task_key, 'length', length_text, 'bytes', int(bytes), 'time', time)
elseif has_record then
  call('HSET', task_key, 'length', length_text, 'bytes', int(bytes))
end
if length > from or has_record then
  if marks ~= '' then
    for kind, at_ms in string.gmatch(marks, '(%a+) (%d+)') do
      call('ZADD', base .. ':due:' .. kind, 'NX', at_ms, id)
    end
  end
  if hooked and deliver_at ~= '' then call('ZADD', base .. ':due:deliver', 'NX', deliver_at, id) end
end

local ended = '0'
if has_record then
  local record, new_version, new_incarnation, new_status = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local created_at, tags, of_type = ARGV[at + 4], ARGV[at + 5], ARGV[at + 8]
  call('HSET', task_key, 'record', record, 'version', new_version,
    'incarnation', new_incarnation, 'status', new_status)
  if status then call('ZREM', key('status', status), id) end
  call('ZADD', key('status', new_status), created_at, id)
  if expect == 'absent' then
    call('ZADD', base .. ':tasks', created_at, id)
    call('HSET', task_key, 'tags', tags, 'type', of_type)
    if hooked then call('HSET', task_key, 'hooked', '1') end
    for _, tag in ipairs(cjson.decode(tags)) do call('ZADD', key('tag', tag), created_at, id) end
  end
  for i, kind in ipairs({'deadline', 'wake'}) do
    local at_ms = ARGV[at + 5 + i]
    if at_ms == '' then call('ZREM', base .. ':due:' .. kind, id)
    else call('ZADD', base .. ':due:' .. kind, at_ms, id) end
  end
  if new_status == 'completed' or new_status == 'failed' or new_status == 'timeout'
    or new_status == 'cancelled' then ended = '1' end
end

if publish ~= '' and length > from then
  local signal = from_text .. ' ' .. length_text .. ' ' .. ended .. ' ' .. id
  call(publish, base .. ':wake:' .. id, signal)
  call(publish, base .. ':wake', signal)
end
answer[3] = length
answer[#answer + 1] = life
return answer
