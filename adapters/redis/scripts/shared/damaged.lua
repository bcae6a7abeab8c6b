-- Ends the script with an error because part of the task's data is lost. Only before anything is written.
local function damaged(part) error({err = 'TASKCAST_DAMAGED ' .. part}) end
