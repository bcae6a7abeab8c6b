-- Publishes the new events on the channels of the task and of all tasks. They are stored by now: a refusal,
-- e.g. for missing channel rights, only changes the outcome.
if ARGV[11] ~= '' then
  local signal = from_text .. ' ' .. length_text .. ended .. id
  local channel = base .. ':wake'
  local to_task = redis.pcall(ARGV[11], channel .. ':' .. id, signal)
  local to_all = redis.pcall(ARGV[11], channel, signal)
  if type(to_task) == 'table' or type(to_all) == 'table' then outcome = outcome .. ' unannounced' end
end
