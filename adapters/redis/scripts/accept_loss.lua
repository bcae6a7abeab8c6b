-- Accepts the loss of data: ARGV[3] is the time, the others are words of generations. Instances that knew
-- such a generation continue with the current data. Returns {number of these that are lost here, generation}.
--@include keys
local generation = redis.call('GET', base .. ':life')
if not generation then
  generation = ARGV[2]
  redis.call('SET', base .. ':life', generation)
end
local lost = 0
for i = 4, #ARGV do
  if ARGV[i] ~= generation then
    lost = lost + 1
    redis.call('HSET', base .. ':losses', ARGV[i], ARGV[3])
  end
end
return {lost, generation}
