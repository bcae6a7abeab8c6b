-- Appends up to `limit` positions of an event kind within a range to a list, from either end.
local function positions_between(event_kind, low, high, limit, backward, list)
  local wanted = limit
  -- Appends positions of a chunk. Returns whether more are needed.
  local function take(chunk)
    local from, to, step = nth_at(chunk, low, 1), chunk.count, 1
    if backward then from, to, step = nth_at(chunk, high + 1, 1) - 1, 1, -1 end
    for nth = from, to, step do
      local position = position_in(chunk, nth)
      if wanted == 0 or position < low or position > high then return false end
      list[#list + 1] = position
      wanted = wanted - 1
    end
    return wanted > 0
  end

  -- Appends positions of the chunks that a command finds. Asks for more chunks if those were too few.
  local function take_chunks(command, position, final, must_find)
    local count = math.ceil(wanted / CHUNK)
    while true do
      count = math.min(count, 16)
      local found = redis.call(command, event_kind.chunks, position, final, 'LIMIT', 0, count)
      if #found == 0 and must_find then damaged('places') end
      must_find = false
      local chunk
      for _, text in ipairs(found) do
        chunk = chunk_in(text)
        if not take(chunk) then return false end
      end
      if #found < count then return true end
      local last = position_in(chunk, chunk.count)
      if last == event_kind.last and not backward then return true end
      position, count = '(' .. int(last), 2 * count
    end
  end

  if backward then
    if event_kind.is_open and high > event_kind.last and not take(open_chunk(event_kind)) then return end
    if event_kind.last < low then return end
    -- The chunk that spans the end of the range.
    if high < event_kind.last and not take(chunk_at(event_kind, high + 1)) then return end
    take_chunks('ZREVRANGEBYSCORE', int(high), '-inf', high >= event_kind.last)
  else
    if low <= event_kind.last and not take_chunks('ZRANGEBYSCORE', int(low), '+inf', true) then return end
    if event_kind.is_open and high > event_kind.last then take(open_chunk(event_kind)) end
  end
end
