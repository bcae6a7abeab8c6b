-- The positions of the events at which all data ever appended to a log passes each multiple of 64 KiB, in one
-- string. They show how much of the log fits into a page of a given size.
local PAGE_BYTES = 65536
local function pages_key(id) return key('pages', id) end
