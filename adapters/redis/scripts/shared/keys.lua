-- The names of keys. KEYS[1] names a partition; all keys of its tasks begin with it and so are in one slot.
local base = KEYS[1]
local function key(kind, id) return base .. ':' .. kind .. ':' .. id end

-- A whole number as Redis takes it; Lua would write large ones with an exponent. '%d' takes half as many
-- instructions, but where a long has 32 bits it takes no number that is larger.
local function int(number)
  if number < 2147483648 and number >= 0 then return string.format('%d', number) end
  return string.format('%.0f', number)
end
