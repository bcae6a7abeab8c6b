-- Ends the script: part of the task's data is gone. Only before anything is written.
local function damaged(part) error({err = 'TASKCAST_DAMAGED ' .. part}) end
