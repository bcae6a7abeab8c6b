-- Refuses data that was lost or replaced. `life` is what the partition has; ARGV[1] is the one that the
-- caller knows, or ''; ARGV[2] a name for a new life.
if life then
  if ARGV[1] ~= '' and ARGV[1] ~= life then
    return redis.error_reply('TASKCAST_LOST the data was replaced')
  end
else
  if ARGV[1] ~= '' then return redis.error_reply('TASKCAST_LOST the data is gone') end
  life = ARGV[2]
  redis.call('SET', base .. ':life', life)
end
