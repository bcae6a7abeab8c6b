-- Tells who listens to the task, and who listens to all, of the events that are new. They are stored by now:
-- where telling is refused, say to a user without these channels, the outcome says so and is no error.
if ARGV[11] ~= '' then
  local signal = from_text .. ' ' .. length_text .. ended .. id
  local channel = base .. ':wake'
  local to_task = redis.pcall(ARGV[11], channel .. ':' .. id, signal)
  local to_all = redis.pcall(ARGV[11], channel, signal)
  if type(to_task) == 'table' or type(to_all) == 'table' then outcome = outcome .. ' untold' end
end
