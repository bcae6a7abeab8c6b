-- A task that is not there is in no list either: one that is has lost its head.
if redis.call('ZSCORE', base .. ':tasks', id) then return redis.error_reply('TASKCAST_DAMAGED task') end
