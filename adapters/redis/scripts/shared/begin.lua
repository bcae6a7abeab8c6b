-- The start of every script, except those that read the generation together with something else.
--@include keys
local generation = redis.call('GET', base .. ':life')
--@include check_generation
