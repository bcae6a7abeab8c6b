-- Publishes a word on the channel of one listener and on that of all, as commits do: {'' or the reason of a
-- refusal, generation}. ARGV[3] is the command, [4] the word.
--@include begin
local word = '0 0 0 ' .. ARGV[4]
for _, channel in ipairs({base .. ':wake:' .. ARGV[4], base .. ':wake'}) do
  local reply = redis.pcall(ARGV[3], channel, word)
  if type(reply) == 'table' then return {channel .. ' ' .. reply.err, generation} end
end
return {'', generation}
