-- Tells who listens to the task, and who listens to all, of the events that are new.
if ARGV[11] ~= '' then
  local signal = from_text .. ' ' .. length_text .. ended .. id
  local channel = base .. ':wake'
  call(ARGV[11], channel .. ':' .. id, signal)
  call(ARGV[11], channel, signal)
end
