--@include chunks
-- Appends packed positions to those of an event kind; the text is long if there are many. Never restarts
-- positions that were lost, so that reads notice the loss.
local function append_positions(id, name, positions)
  local open = open_key(id, name)
  local size = call('APPEND', open, positions)
  local is_first, is_full = size == #positions, size >= CHUNK * POSITION_BYTES
  if not is_first and not is_full then return end

  local event_kinds_key = key('classes', id)
  local known = call('HGET', event_kinds_key, name)
  local total, last = 0, 0
  if known then
    local is_open
    total, last, is_open = struct.unpack(CLASS, known)
    if is_first and is_open == 1 then call('DEL', open) return end
    if last > 0 and is_full and call('EXISTS', chunks_key(id, name)) == 0 then return end
  elseif is_first then call('HINCRBY', key('task', id), 'classes', 1)
  else return end
  if is_full then
    positions = call('GET', open)
    local from = 1
    while from <= #positions do
      -- A small rest joins the chunk before it.
      local to = from + CHUNK * POSITION_BYTES - 1
      if to + CHUNK * POSITION_BYTES > #positions then to = #positions end
      local part = string.sub(positions, from, to)
      last = struct.unpack(POSITION, part, #part - POSITION_BYTES + 1)
      local chunk = struct.pack(RUN_COUNT, 1) .. struct.pack(RUN, 1, total) .. part
      call('ZADD', chunks_key(id, name), int(last), chunk)
      total = total + #part / POSITION_BYTES
      from = to + 1
    end
    call('DEL', open)
  end
  call('HSET', event_kinds_key, name, struct.pack(CLASS, total, last, is_full and 0 or 1))
end
