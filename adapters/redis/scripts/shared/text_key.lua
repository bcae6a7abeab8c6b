-- The key of the text of an accumulate series.
local function text_key(id, number) return key('text', id) .. ':' .. number end
