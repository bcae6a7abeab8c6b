-- Records where the log passes each page boundary; one event may pass several.
while bytes >= next_page do
  pages = pages or {}
  pages[#pages + 1], next_page = struct.pack(POSITION, length), next_page + PAGE_BYTES
end
