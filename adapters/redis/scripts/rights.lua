-- Returns the commands of ARGV that the user may not run on keys of a partition; % stands for a key. The
-- check changes nothing. Servers before Redis 7 cannot do it.
if not redis.acl_check_cmd then return {} end
local denied = {}
for _, text in ipairs(ARGV) do
  local words = {}
  for word in string.gmatch(text, '%S+') do words[#words + 1] = word == '%' and KEYS[1] .. ':check' or word end
  if not redis.acl_check_cmd(unpack(words)) then denied[#denied + 1] = words[1] end
end
return denied
