-- Returns whether a task exists and, unless they are '', is in an incarnation and at a version and length.
local function is_at(id, incarnation, version, length)
  local now = redis.call('HMGET', key('task', id), 'incarnation', 'version', 'length')
  return now[1] and (incarnation == '' or now[1] == incarnation) and (version == '' or now[2] == version)
    and (length == '' or now[3] == length)
end
