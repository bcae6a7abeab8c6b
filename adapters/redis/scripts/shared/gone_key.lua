-- The key of those places of one class that are remembered of trimmed events: a sorted set of places by
-- index + 1.
local function gone_key(id, name) return key('gone', id) .. ':' .. name end
