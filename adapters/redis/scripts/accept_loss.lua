-- Accepts that data is lost: ARGV[3] is the time, the others are words that it was known by. Whoever knew one
-- of these goes on with what is there. {how many of them are lost here, life}
--@include keys
local life = redis.call('GET', base .. ':life')
if not life then
  life = ARGV[2]
  redis.call('SET', base .. ':life', life)
end
local lost = 0
for i = 4, #ARGV do
  if ARGV[i] ~= life then
    lost = lost + 1
    redis.call('HSET', base .. ':losses', ARGV[i], ARGV[3])
  end
end
return {lost, life}
