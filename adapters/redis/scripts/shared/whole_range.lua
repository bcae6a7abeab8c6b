-- Requires that the part read of a log has no hole; `from` and `through` are its first and last position. In
-- a trimmed log only the newest event is certain to exist.
local taken, reached = #answer - HEAD, last
if not task[5] then
  local wanted = more and through - from + 1 or backward and through - reached + 1 or reached - from + 1
  if taken < wanted then damaged('log') end
elseif through == length and (backward and answer[HEAD + 1] == nil or not backward and more and last ~= length) then
  damaged('log')
end
