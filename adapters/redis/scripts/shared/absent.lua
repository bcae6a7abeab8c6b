-- A task in the list without a head has lost its data.
if redis.call('ZSCORE', base .. ':tasks', id) then return redis.error_reply('TASKCAST_DAMAGED task') end
