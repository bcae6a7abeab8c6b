--@include places
-- Makes chunks of the newest positions of a class.
local function close_places(id, name)
  local classes_key, open = key('classes', id), open_key(id, name)
  local total = struct.unpack(CLASS, redis.call('HGET', classes_key, name))
  local positions = redis.call('GET', open)
  local last
  local from = 1
  while from <= #positions do
    -- What is left over is not worth a chunk of its own.
    local to = from + CHUNK * POSITION_BYTES - 1
    if to + CHUNK * POSITION_BYTES > #positions then to = #positions end
    local part = string.sub(positions, from, to)
    last = struct.unpack(POSITION, part, #part - POSITION_BYTES + 1)
    local chunk = struct.pack(RUN_COUNT, 1) .. struct.pack(RUN, 1, total) .. part
    redis.call('ZADD', places_key(id, name), int(last), chunk)
    total = total + #part / POSITION_BYTES
    from = to + 1
  end
  redis.call('DEL', open)
  redis.call('HSET', classes_key, name, struct.pack(CLASS, total, last, 0))
end

-- Appends positions to those of a class: a text, which is long if there are many.
local function append_places(id, name, positions)
  local size = redis.call('APPEND', open_key(id, name), positions)
  if size == #positions then
    local known = redis.call('HGET', key('classes', id), name)
    local total, last = 0, 0
    if known then total, last = struct.unpack(CLASS, known) end
    redis.call('HSET', key('classes', id), name, struct.pack(CLASS, total, last, 1))
  end
  if size >= CHUNK * POSITION_BYTES then close_places(id, name) end
end
