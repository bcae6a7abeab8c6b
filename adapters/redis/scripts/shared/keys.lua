-- The names of keys. KEYS[1] names a partition; all keys of its tasks begin with it and so share a slot.
local base = KEYS[1]
local function key(kind, id) return base .. ':' .. kind .. ':' .. id end

-- Returns an integer as text; Lua would write large ones with an exponent. '%d' takes half as many
-- instructions, but accepts no larger numbers where a C long has 32 bits.
local function int(number)
  if number < 2147483648 and number >= 0 then return string.format('%d', number) end
  return string.format('%.0f', number)
end
