--@include places
-- Appends positions to those of a class: a text, which is long if there are many.
local function append_places(id, name, positions)
  local open = open_key(id, name)
  local size = call('APPEND', open, positions)
  local is_first, is_full = size == #positions, size >= CHUNK * POSITION_BYTES
  if not is_first and not is_full then return end

  local classes_key = key('classes', id)
  local known = call('HGET', classes_key, name)
  local total, last = 0, 0
  if known then total, last = struct.unpack(CLASS, known) end
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
