-- Commits one atomic change of a task: checks what is expected, then writes everything or refuses everything.
-- The checks and their order mirror checkCommit in core/domain/commits/commit.ts.
--
-- Returns {outcome, from, length, timestamp, {position in the commit, ...} ..., generation} or {code, details
-- ..., generation}. The outcome is 'ok', or 'hooked' for tasks with webhooks; ' unannounced' is added if the
-- wake-ups could not be published.
--
-- publish.lua handles commits that only append standalone events to a live task.
--@include begin_commit
--@include append_positions
--@include text_key
--@include damaged
local expect, draft_count, special_count, schedule = ARGV[12], ARGV[13] + 0, ARGV[14] + 0, ARGV[15]

-- ' under ' and a token: under that lease. 'in ' and an incarnation: live, and in that incarnation.
local lease = string.match(expect, ' under (.*)')
if lease then expect = string.match(expect, '(.-) under ') end
local wanted = string.match(expect, '^in (.+)')
if wanted then expect = 'live' end

local function refuse(...)
  local answer = {...}
  answer[#answer + 1] = generation
  return answer
end

-- The drafts: for each its event kind, and the stored event without its first part. Then, for those of a
-- series or a producer: the position, flags, and the fields that the flags announce.
local BEFORE_DRAFTS = 14
local at = BEFORE_DRAFTS + 2 * draft_count + 2
local specials, are_produced, any_repeats = {}, false, false
for _ = 1, special_count do
  local special, flags = {}, ARGV[at + 1]
  specials[ARGV[at] + 0] = special
  at = at + 2
  if string.find(flags, 's', 1, true) then
    special.series, special.mode, special.field = ARGV[at], ARGV[at + 1], ARGV[at + 2]
    at = at + 3
    if string.find(flags, 'd', 1, true) then special.delta = ARGV[at]; at = at + 1 end
    special.must_not_accumulate = string.find(flags, 'n', 1, true)
  end
  if string.find(flags, 'p', 1, true) then
    are_produced = true
    special.producer, special.epoch, special.seq = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
    at = at + 3
  end
end
-- The rest is the record, if there is one, and what it replaces: the fields that codec.ts adds, by name.
local has_record = ARGV[at] ~= nil
local new = {}
if has_record then
  for i, name in ipairs({'record', 'version', 'incarnation', 'status', 'created_at', 'tags', 'deadline', 'wake',
    'type', 'hooked', 'replaced_version', 'replaced_incarnation', 'priority', 'lease', 'lease_due', 'lease_by'}) do
    new[name] = ARGV[at + i - 1]
  end
end
-- The field `lease` of a task: the token, or '' if only a time is due.
local had_lease = false

if expect == 'absent' then
  if status then return refuse('EXISTS') end
  local closed = call('GET', key('closed', id))
  if closed and string.match(closed, '^%d+') + 0 > ARGV[6] + 0 then return refuse('EXISTS') end
elseif not status then
--@include absent
  return refuse('ABSENT')
elseif wanted then
  if call('HGET', task_key, 'incarnation') ~= wanted then return refuse('REPLACED') end
elseif expect == 'at' then
  local now = call('HMGET', task_key, 'version', 'incarnation', 'lease')
  if now[1] ~= new.replaced_version or now[2] ~= new.replaced_incarnation then return refuse('CONFLICT') end
  had_lease = now[3]
  if new.lease_by ~= '' then
    local due = call('ZSCORE', base .. ':due:lease', id)
    if not due or due + 0 > new.lease_by + 0 then return refuse('NOT_DUE') end
  end
end

-- Requires that a hash has as many fields as the task recorded.
local function assert_whole(kind)
  local count = call('HGET', task_key, kind)
  if count and call('HLEN', key(kind, id)) < count + 0 and call('HEXISTS', task_key, 'trimmed') == 0 then
    damaged(kind)
  end
end

-- Stored series, each read once.
local series_key = key('series', id)
local known_series, is_series_whole = {}, false
local function series_of(name)
  local series = known_series[name]
  if series == nil then
    local stored = call('HGET', series_key, name)
    if not stored and not is_series_whole then assert_whole('series') is_series_whole = true end
    series = stored and cmsgpack.unpack(stored) or false
    known_series[name] = series
  end
  return series
end

local producers, are_producers_whole = {}, false
local producers_key = key('producers', id)

-- Finds drafts that repeat earlier events of their producer, treating drafts one by one, and computes the new
-- length and size of the log.
local checks_producers = are_produced and expect == 'live'
for i = 1, draft_count do
  local draft = specials[i]
  if checks_producers and draft and draft.producer then
    local producer = producers[draft.producer]
    if producer == nil then
      local stored = call('HGET', producers_key, draft.producer)
      if stored then
        local no, epoch, seq = string.match(stored, '^(%d+) (%d+) (%d+)$')
        producer = { no = no, epoch = tonumber(epoch), seq = tonumber(seq), added = {}, stored = tonumber(seq) }
      else
        if not are_producers_whole then assert_whole('producers') are_producers_whole = true end
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
      any_repeats = true
      draft.repeats = producer.added[draft.seq]
      if not draft.repeats then
        local seq = int(draft.seq + 1)
        local found = call('XRANGE', key('sent', id) .. ':' .. producer.no, seq, seq)
        -- Numbers of events trimmed from the start of the log are removed here, too; the event is then in
        -- neither.
        draft.repeats = found[1] and tonumber(string.match(found[1][1], '%-(%d+)$')) or -1
      end
    else
      if not same then
        producer = {
          no = producer and producer.no, epoch = draft.epoch, seq = 0, added = {}, stored = 0, fresh = true
        }
        producers[draft.producer] = producer
      end
      producer.added[draft.seq] = length
      producer.seq = producer.seq + 1
    end
  end
  if not (draft and draft.repeats) then
    local kept = ARGV[BEFORE_DRAFTS + 2 * i + 1]
    length = length + 1
    bytes = bytes + #kept - string.find(kept, '\n', 1, true)
--@include note_page
  end
end

if expect == 'live' then
  for _, draft in pairs(any_repeats and specials or {}) do
    if draft.repeats and draft.repeats < from then
      local position = int(draft.repeats + 1)
      draft.found = call('XRANGE', log_key, position, position)[1]
      if not draft.found then
        -- Only ended tasks are trimmed.
        if call('HEXISTS', task_key, 'trimmed') == 1 then return refuse('TERMINAL', status) end
        damaged(draft.repeats < 0 and 'sent' or 'log')
      end
    end
  end
  if length > from then
    if status == 'completed' or status == 'failed' or status == 'timeout' or status == 'cancelled' then
      return refuse('TERMINAL', status)
    end
    if lease and call('HGET', task_key, 'lease') ~= lease then return refuse('LEASE_LOST') end
    local begun = {}
    for i = 1, special_count > 0 and draft_count or 0 do
      local draft = specials[i]
      if draft and draft.series and not draft.repeats then
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
        if accumulates and draft.must_not_accumulate then return refuse('NO_DELTA', i - 1, draft.field) end
      end
    end
    if length > ARGV[7] + 0 or bytes > ARGV[8] + 0 then return refuse('TASK_FULL') end
  end
end

for _, draft in pairs(specials) do if draft.series then series_of(draft.series) end end

--@include first_write
if expect == 'absent' and call('ZADD', base .. ':tasks', 'NX', new.created_at, id) == 0 then damaged('task') end
hooked = hooked or new.hooked == '1'
local outcome = hooked and 'hooked' or 'ok'
local answer = {outcome, from, length, time}
local appends = {}

local function assert_log()
  if from > 0 and call('EXISTS', log_key) == 0 then damaged('log') end
end

-- Updates the series of an event. Returns it, and whether the event can still be read standalone.
local function append_to_series(draft, event_kind, index)
  local series = series_of(draft.series)
  if not series then
    assert_log()
    local mode = draft.mode ~= '' and draft.mode or 'keep-all'
    series = {
      no = call('HINCRBY', task_key, 'series', 1) - 1,
      mode = mode,
      field = mode == 'accumulate' and draft.field or '',
      classes = {},
    }
    known_series[draft.series] = series
    if mode ~= 'keep-all' then call('HINCRBY', task_key, 'folds', 1) end
  end
  series.newest = index
  series.changed = true
  local standalone = series.mode == 'keep-all'
  if not standalone and series.classes then
    local is_known = false
    for _, one in ipairs(series.classes) do is_known = is_known or one == event_kind end
    if not is_known then
      if #series.classes == 8 then series.classes = false
      else series.classes[#series.classes + 1] = event_kind end
    end
  end
  if series.mode == 'accumulate' then
    if draft.delta then
      -- The length of the text; unknown for some old series until their next event.
      if series.text ~= true then series.text = (series.text or 0) + #draft.delta end
      appends[series] = appends[series] or {}
      table.insert(appends[series], draft.delta)
    else
      assert_log()
      series.text = false
      appends[series] = nil
      call('DEL', text_key(id, series.no))
    end
  end
  return series, standalone
end

-- Positions by event kind, for standalone events and for others.
local standalone_positions, other_positions = {}, {}
local position = from
for i = 1, draft_count do
  local draft = specials[i]
  if not (draft and draft.repeats) then
    local event_kind, kept = ARGV[BEFORE_DRAFTS + 2 * i], ARGV[BEFORE_DRAFTS + 2 * i + 1]
    local by_kind, begins = standalone_positions, time
    if draft and draft.series then
      local series, standalone = append_to_series(draft, event_kind, position)
      if not standalone then by_kind = other_positions end
      local field = series.field ~= '' and ',' .. series.field or ''
      begins = '[' .. draft.series .. ',"' .. series.mode .. '"' .. field .. '],' .. time
      if draft.mode == '' then answer[#answer + 1] = {i - 1, series.mode, series.field} end
    end
    position = position + 1
    -- A log whose events are gone must not be started again.
    if position > from + 1 or from == 0 then call('XADD', log_key, int(position), begins, kept)
    elseif not call('XADD', log_key, 'NOMKSTREAM', int(position), begins, kept) then damaged('log') end
    local positions = by_kind[event_kind]
    if positions then positions[#positions + 1] = struct.pack(POSITION, position)
    else by_kind[event_kind] = { struct.pack(POSITION, position) } end
  end
end

for event_kind, positions in pairs(standalone_positions) do
  append_positions(id, '1' .. event_kind, table.concat(positions))
end
for event_kind, positions in pairs(other_positions) do
  append_positions(id, '0' .. event_kind, table.concat(positions))
end

if special_count > 0 then
  for series, parts in pairs(appends) do
    local text = text_key(id, series.no)
    local size = call('APPEND', text, table.concat(parts))
    if series.text == true then series.text = size
    elseif size ~= series.text then call('DEL', text) end -- The earlier text is gone; reads must notice.
  end
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
      -- In a new epoch, the numbers of the previous one are void.
      if producer.fresh then call('DEL', sent_key) end
      for seq = producer.stored, producer.seq - 1 do
        call('XADD', sent_key, int(seq + 1) .. '-' .. int(producer.added[seq]), '', '')
      end
      call('HSET', producers_key, name, producer.no .. ' ' .. int(producer.epoch) .. ' ' .. int(producer.seq))
    end
  end
  for i = 1, draft_count do
    local draft = specials[i]
    if draft and draft.repeats then
      local found = draft.found or call('XRANGE', log_key, int(draft.repeats + 1), int(draft.repeats + 1))[1]
      answer[#answer + 1] = {i - 1, int(draft.repeats), found[2][1], found[2][2]}
    end
  end
end

local length_text = int(length)
if length > from then
  call('HSET', task_key, 'length', length_text, 'bytes', int(bytes), 'time', time)
elseif has_record then
  call('HSET', task_key, 'length', length_text, 'bytes', int(bytes))
end
if length > from or has_record then
--@include schedule_task
  for kind, at_ms in string.gmatch(schedule, '(%a+) (%d+)') do
    call('ZADD', base .. ':due:' .. kind, 'NX', at_ms, id)
  end
end

local ended = ' 0 '
if has_record then
  call('HSET', task_key, 'record', new.record, 'version', new.version,
    'incarnation', new.incarnation, 'status', new.status)
  if status then call('ZREM', key('status', status), id) end
  call('ZADD', key('status', new.status), new.created_at, id)
  if expect == 'absent' then
    call('HSET', task_key, 'tags', new.tags, 'type', new.type)
    if hooked then call('HSET', task_key, 'hooked', '1') end
    if new.priority ~= '' then call('HSET', task_key, 'priority', new.priority) end
    for _, tag in ipairs(cjson.decode(new.tags)) do call('ZADD', key('tag', tag), new.created_at, id) end
  end
  for _, kind in ipairs({'deadline', 'wake'}) do
    local at_ms = new[kind]
    if at_ms == '' then call('ZREM', base .. ':due:' .. kind, id)
    else call('ZADD', base .. ':due:' .. kind, at_ms, id) end
  end
  local lease_due = new.lease_due
  if new.lease ~= '' or lease_due ~= '' then call('HSET', task_key, 'lease', new.lease)
  elseif had_lease then call('HDEL', task_key, 'lease') end
  if lease_due ~= '' and lease_due ~= 'keep' then call('ZADD', base .. ':due:lease', lease_due, id)
  elseif had_lease and lease_due == '' then call('ZREM', base .. ':due:lease', id) end
  if new.status == 'completed' or new.status == 'failed' or new.status == 'timeout'
    or new.status == 'cancelled' then ended = ' 1 ' end
end

if length > from then
--@include announce_commit
  answer[1] = outcome
end
answer[#answer + 1] = generation
return answer
