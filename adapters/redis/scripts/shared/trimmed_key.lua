-- The key of the ranks kept for trimmed events of a kind: a sorted set of ranks by index + 1.
local function trimmed_key(id, name) return key('gone', id) .. ':' .. name end
