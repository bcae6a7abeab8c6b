import { delayReads, testBroadcast, testShortTermStore } from "@taskcast/core/conformance";
import { redisUrl } from "../../../testing/databases/redis_server.ts";
import { createRedisAdapters } from "../mod.ts";

const url = (await redisUrl())!;
const test = url === undefined ? () => {} : Deno.test;

/** Opens adapters with a prefix of their own. */
function open(options: { timeoutMs?: number } = {}) {
  return createRedisAdapters(url, { prefix: `test:${crypto.randomUUID()}:`, ...options });
}

function openStore() {
  const { broadcast, shortTerm } = open();
  const close = shortTerm.close.bind(shortTerm);
  shortTerm.close = async () => {
    await broadcast.close();
    await close();
  };
  return shortTerm;
}

testShortTermStore({ name: "redis", open: openStore, test });
testShortTermStore({ name: "redis, slow", open: () => delayReads(openStore(), 2), test });

testBroadcast({
  name: "redis broadcast",
  open() {
    const prefix = `test:${crypto.randomUUID()}:`;
    const [here, there] = [1, 2].map(() => createRedisAdapters(url, { prefix })) as [
      ReturnType<typeof open>,
      ReturnType<typeof open>,
    ];
    return {
      publisher: here.broadcast,
      subscriber: there.broadcast,
      async close() {
        for (const { broadcast, shortTerm } of [here, there]) {
          await broadcast.close();
          await shortTerm.close();
        }
      },
    };
  },
  test,
});
