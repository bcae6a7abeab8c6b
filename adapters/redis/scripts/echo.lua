-- Tells the channel of one listener, and that of all, a word of the caller's, as commits tell of events:
-- {'' or why that is refused, life}. ARGV[3] is the command, [4] the word.
--@include life
local word = '0 0 0 ' .. ARGV[4]
for _, channel in ipairs({base .. ':wake:' .. ARGV[4], base .. ':wake'}) do
  local told = redis.pcall(ARGV[3], channel, word)
  if type(told) == 'table' then return {channel .. ' ' .. told.err, life} end
end
return {'', life}
