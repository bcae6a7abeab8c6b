-- Where the events of each class are in the log: their positions, which are their indexes + 1, in order. A
-- class is a type and a level, and '1' before them if the events are plain.
--
-- The newest positions of a class are in a string that commits append to, six bytes each. When there are
-- enough, they become a chunk: a member of a sorted set, whose score is its last position, so that Redis
-- finds the chunk that has the first event at or after any position. A chunk has events that follow on one
-- another in the class, and where some between were trimmed, runs of such events:
--
-- - how many runs there are,
-- - of each which of the positions is its first, and how many events of the class came before that,
-- - the positions.
--
-- They are small, since Lua looks at each byte of a text that it gets.
--
-- The field of a class in the hash of classes has how many events came into chunks so far, those that were
-- trimmed since included, the last position in chunks, or 0, and whether there is more than the chunks.
local POSITION, POSITION_BYTES = '>I6', 6
local RUN_COUNT, RUN_COUNT_BYTES = '>I2', 2
local RUN, RUN_BYTES = '>I2I6', 8
local CLASS = '>I6I6I1'
local CHUNK = 128

-- The string of the newest positions of a class.
local function open_key(id, name) return key('open', id) .. ':' .. name end

-- The chunks of a class.
local function places_key(id, name) return key('places', id) .. ':' .. name end
