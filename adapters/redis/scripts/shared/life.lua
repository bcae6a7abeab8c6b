-- What every script begins with, but for the one that reads the life together with something else.
--@include keys
local life = redis.call('GET', base .. ':life')
--@include check_life
