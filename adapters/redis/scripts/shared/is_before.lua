-- Whether a text comes before another by its bytes, as in sorted sets. Lua's own `<` asks the locale
-- that Redis was started in.
local function is_before(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end
