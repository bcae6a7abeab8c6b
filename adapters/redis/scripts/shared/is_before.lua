-- Returns whether a text comes before another in byte order, as in sorted sets. Lua's `<` depends on the
-- locale that Redis was started in.
local function is_before(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end
