-- The positions of the events of each kind in the log, in order. A position is an index + 1. An event kind is
-- a type and a level, preceded by '1' for standalone events and '0' for others.
--
-- Commits append the newest positions of a kind to a string, six bytes each. A full string becomes a chunk: a
-- member of a sorted set whose score is its last position, so that Redis finds the chunk with the first event
-- at or after any position. A chunk covers consecutive events of its kind, or several runs of them if events
-- in between were trimmed:
--
-- - the number of runs,
-- - for each run the number of its first position in the chunk, and its rank: how many events of the kind
--   came before it,
-- - the positions.
--
-- Chunks are small, since Lua hashes each byte of a string it gets.
--
-- The hash of event kinds stores for each kind how many events have been put into chunks so far, trimmed ones
-- included; the last position in chunks, or 0; and whether there are positions outside chunks.
local POSITION, POSITION_BYTES = '>I6', 6
local RUN_COUNT, RUN_COUNT_BYTES = '>I2', 2
local RUN, RUN_BYTES = '>I2I6', 8
local CLASS = '>I6I6I1'
local CHUNK = 128

-- The key of the newest positions of an event kind.
local function open_key(id, name) return key('open', id) .. ':' .. name end

-- The key of the chunks of an event kind.
local function chunks_key(id, name) return key('places', id) .. ':' .. name end
