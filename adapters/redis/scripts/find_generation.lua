-- Looks up the generation with the word ARGV[3]: {1 if its loss was accepted, else 0, the current word or '',
-- the same again}. Refuses and writes nothing.
--@include keys
local generation = redis.call('GET', base .. ':life') or ''
return {redis.call('HEXISTS', base .. ':losses', ARGV[3]), generation, generation}
