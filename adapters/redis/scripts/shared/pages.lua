-- Where the data of a log comes to each further 64 KiB, of all that was ever appended: the positions of these
-- events, in a string. They tell how far the log may be read at once and be no more than is wanted.
local PAGE_BYTES = 65536
local function pages_key(id) return key('pages', id) end
