--@include places
-- Appends positions to those of a class: a text, which is long if there are many. What was there and is gone
-- is not begun anew, or reading would not notice that.
local function append_places(id, name, positions)
  local open = open_key(id, name)
  local size = call('APPEND', open, positions)
  local is_first, is_full = size == #positions, size >= CHUNK * POSITION_BYTES
  if not is_first and not is_full then return end

  local classes_key = key('classes', id)
  local known = call('HGET', classes_key, name)
  local total, last = 0, 0
  if known then
    local is_open
    total, last, is_open = struct.unpack(CLASS, known)
    if is_first and is_open == 1 then call('DEL', open) return end
    if last > 0 and is_full and call('EXISTS', places_key(id, name)) == 0 then return end
  elseif is_first then call('HINCRBY', key('task', id), 'classes', 1)
  else return end
  if is_full then
    positions = call('GET', open)
    local from = 1
    while from <= #positions do
      -- What would be left over is not worth a chunk of its own.
      local to = from + CHUNK * POSITION_BYTES - 1
      if to + CHUNK * POSITION_BYTES > #positions then to = #positions end
      local part = string.sub(positions, from, to)
      last = struct.unpack(POSITION, part, #part - POSITION_BYTES + 1)
      local chunk = struct.pack(RUN_COUNT, 1) .. struct.pack(RUN, 1, total) .. part
      call('ZADD', places_key(id, name), int(last), chunk)
      total = total + #part / POSITION_BYTES
      from = to + 1
    end
    call('DEL', open)
  end
  call('HSET', classes_key, name, struct.pack(CLASS, total, last, is_full and 0 or 1))
end
