-- Returns whether a type matches one of the patterns: '*', 'a.b.*', or equality.
local function matches_type(kind, patterns)
  for _, pattern in ipairs(patterns) do
    if pattern == '*' or pattern == kind then return true end
    if string.sub(pattern, -2) == '.*' then
      local stem = string.sub(pattern, 1, -2)
      if string.sub(kind, 1, #stem) == stem then return true end
    end
  end
  return false
end
