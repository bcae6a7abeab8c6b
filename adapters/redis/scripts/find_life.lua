-- What became of data that was known by a word, ARGV[3]: {1 if it was accepted that it is lost, else 0,
-- the word of what is there now or '', the same again}. Refuses nothing and writes nothing.
--@include keys
local life = redis.call('GET', base .. ':life') or ''
return {redis.call('HEXISTS', base .. ':losses', ARGV[3]), life, life}
