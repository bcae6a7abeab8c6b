// The embedded server of the user's deployment guide, as written there but for one type annotation.
// deno-lint-ignore-file no-unused-vars verbatim-module-syntax
// @ts-nocheck: TypeScript does not see the default export that ioredis has at run time.
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import { createTaskcastApp } from "@taskcast/server";
import { createRedisAdapters } from "@taskcast/redis";
import { createPostgresAdapter } from "@taskcast/postgres";
import Redis from "ioredis";

// 创建 Redis 适配器
const pubClient = new Redis(process.env.REDIS_URL);
const subClient = new Redis(process.env.REDIS_URL);
const storeClient = new Redis(process.env.REDIS_URL);
const { broadcast, shortTerm } = createRedisAdapters(pubClient, subClient, storeClient);

// 创建 PostgreSQL 适配器（可选）
const longTerm = await createPostgresAdapter({
  url: process.env.DATABASE_URL!,
});

// 创建引擎
const engine = new TaskEngine({
  broadcast,
  shortTermStore: shortTerm,
  longTermStore: longTerm, // 可选
});

// 创建 HTTP 应用
const app = createTaskcastApp({
  engine,
  auth: {
    mode: "jwt",
    jwt: {
      algorithm: "HS256",
      secret: process.env.JWT_SECRET!,
    },
  },
});

// 挂载到你的 Hono 应用
import { Hono } from "hono";
const mainApp: Hono = new Hono();
mainApp.route("/taskcast", app);

export default mainApp;
