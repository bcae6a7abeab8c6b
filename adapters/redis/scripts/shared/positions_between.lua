-- Appends the positions of a class between two to a list, the first or the last of them, so many at most.
local function positions_between(class, low, high, limit, backward, list)
  local wanted = limit
  -- Takes what there is to take from a chunk. Returns whether more is wanted.
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

  -- Takes from chunks that a command finds, from a position on. Few have less than their share: more are
  -- asked for when that was not enough.
  local function take_chunks(command, position, final, must_find)
    local count = math.ceil(wanted / CHUNK)
    while true do
      count = math.min(count, 16)
      local found = redis.call(command, class.places, position, final, 'LIMIT', 0, count)
      if #found == 0 and must_find then damaged('places') end
      must_find = false
      local chunk
      for _, text in ipairs(found) do
        chunk = chunk_in(text)
        if not take(chunk) then return false end
      end
      if #found < count then return true end
      local last = position_in(chunk, chunk.count)
      if last == class.last and not backward then return true end
      position, count = '(' .. int(last), 2 * count
    end
  end

  if backward then
    if class.is_open and high > class.last and not take(open_chunk(class)) then return end
    if class.last < low then return end
    -- The chunk that has both what is wanted and what comes behind it.
    if high < class.last and not take(chunk_at(class, high + 1)) then return end
    take_chunks('ZREVRANGEBYSCORE', int(high), '-inf', high >= class.last)
  else
    if low <= class.last and not take_chunks('ZRANGEBYSCORE', int(low), '+inf', true) then return end
    if class.is_open and high > class.last then take(open_chunk(class)) end
  end
end
