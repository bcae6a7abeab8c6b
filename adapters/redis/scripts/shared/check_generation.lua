-- Refuses data that was lost or replaced. `generation` is that of the partition; ARGV[1] is the one the
-- caller knows, or ''; ARGV[2] is the word for a new one.
if generation then
  if ARGV[1] ~= '' and ARGV[1] ~= generation then
    return redis.error_reply('TASKCAST_LOST the data was replaced')
  end
else
  if ARGV[1] ~= '' then return redis.error_reply('TASKCAST_LOST the data is gone') end
  generation = ARGV[2]
  redis.call('SET', base .. ':life', generation)
end
