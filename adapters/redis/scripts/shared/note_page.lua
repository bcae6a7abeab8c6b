-- Notes where the data of the log has come to so many bytes more; by one event perhaps several times.
while bytes >= next_page do
  pages = pages or {}
  pages[#pages + 1], next_page = struct.pack(POSITION, length), next_page + PAGE_BYTES
end
