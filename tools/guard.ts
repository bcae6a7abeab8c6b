// Fails if the lock file names a registry, because then it works only on machines that reach it.
const lock = await Deno.readTextFile(new URL("../deno.lock", import.meta.url));
const found = ["tarball", "http:", "https:"].filter((word) => lock.includes(word));
if (found.length > 0) {
  console.error(`deno.lock contains ${found.join(", ")}; it must name no registry`);
  Deno.exit(1);
}
console.log("guard: lock file: ok");
