import type {
  BroadcastProvider,
  ClaimedWork,
  Commit,
  CommitResult,
  DueKind,
  DueWork,
  EventDraft,
  HealthReport,
  LeaseRenewal,
  Leases,
  NoteChange,
  Refusal,
  RevisionExpectation,
  ScheduledTask,
  ShortTermStore,
  StoredEvent,
  TaskRevision,
  Tombstone,
  Trim,
  Work,
} from "@taskcast/core/adapter";
import { DUE_KINDS } from "@taskcast/core/adapter";
import type { SeriesMode, TaskStatus } from "@taskcast/core/protocol";
import { asStored, commitCall, NUMBER_AT, text, toStoredEvent } from "./codec.ts";
import type { Reply } from "./connection/client.ts";
import type { Connection } from "./connection/connection.ts";
import type { Partitions } from "./partitions.ts";
import type { ScriptRunner } from "./scripting/script_runner.ts";
import type { StoreHealth } from "./store_health.ts";
import { RedisTaskReader } from "./task_reader.ts";

/** Suffix of the outcome of a stored commit whose wake-ups could not be published. */
const UNANNOUNCED = " unannounced";

/** Milliseconds until unavailable partitions are asked again for due work. */
const ASK_AGAIN_MS = 1_000;

/**
 * Tasks and logs in Redis. Each change of one task is one atomic script. Lists, claims and large pages
 * take several calls.
 */
export class RedisShortTermStore extends RedisTaskReader implements ShortTermStore {
  readonly durable = true;
  readonly leases: Leases = { renew: (renewals) => this.#renew(renewals) };
  readonly announcesOn?: BroadcastProvider;
  readonly #publish: "PUBLISH" | "SPUBLISH" | "";
  readonly #connection: Connection;
  readonly #health: StoreHealth;
  readonly #onClose: () => void;
  /** Short, because Redis reads each byte of it. */
  readonly #session: string = crypto.randomUUID().replaceAll("-", "").slice(0, 16);
  #commits = 0;

  constructor(
    scripts: ScriptRunner,
    partitions: Partitions,
    { connection, health, announcesOn, publish, onClose }: {
      connection: Connection;
      /** Checks whether the store can be used. */
      health: StoreHealth;
      /** The broadcast that each commit announces itself on, in the same step. */
      announcesOn?: BroadcastProvider;
      /** The command that announces commits. */
      publish: "PUBLISH" | "SPUBLISH" | "";
      onClose: () => void;
    },
  ) {
    super(scripts, partitions);
    this.#connection = connection;
    this.#health = health;
    this.announcesOn = announcesOn;
    this.#publish = publish;
    this.#onClose = onClose;
  }

  get interruptions(): number {
    return this.#connection.interruptions;
  }

  async commit(commit: Commit): Promise<CommitResult> {
    const { taskId, events } = commit;
    const base = this.partitions.of(taskId);
    const { script, args } = commitCall(commit, {
      session: this.#session,
      publish: this.#publish,
    });
    // Numbered on sending, so that numbers are sent in order.
    const reply = await this.scripts.run(base, script, () => {
      args[NUMBER_AT] = String(++this.#commits);
      return args;
    });
    const [outcome, from, length, time] = reply as [string, number, number, string];
    const unannounced = outcome.endsWith(UNANNOUNCED);
    const stored = unannounced ? outcome.slice(0, -UNANNOUNCED.length) : outcome;
    if (stored !== "ok" && stored !== "hooked") return { ok: false, refusal: refusalOf(reply) };
    return {
      ok: true,
      events: storedOf(events, from, Number(time), reply.slice(4) as Reply[][]),
      from,
      length,
      ...(stored === "hooked" && { hooked: true }),
      ...(unannounced && { unannounced }),
    };
  }

  async #renew(renewals: readonly LeaseRenewal[]): Promise<boolean[]> {
    const renewed: boolean[] = [];
    const byPartition = Map.groupBy(
      renewals.keys(),
      (at) => this.partitions.of(renewals[at]!.taskId),
    );
    await Promise.all(
      [...byPartition].map(async ([base, places]) => {
        const args = places.flatMap((at) => {
          const { taskId, lease, untilMs } = renewals[at]!;
          return [taskId, lease, String(untilMs)];
        });
        const reply = await this.scripts.run(base, "renew", args);
        for (const [i, at] of places.entries()) renewed[at] = reply[i] === 1;
      }),
    );
    return renewed;
  }

  async deleteTask(
    taskId: string,
    at?: RevisionExpectation,
    closing?: Tombstone,
  ): Promise<boolean> {
    const revision = revisionArgs(at);
    const closed = closing === undefined ? ["", ""] : [
      String(Math.ceil(closing.untilMs)),
      String(Math.max(1, Math.ceil(closing.untilMs - closing.nowMs))),
    ];
    const [done] = await this.run(taskId, "delete_task", taskId, ...revision, ...closed);
    return done === 1;
  }

  async trimLog(
    taskId: string,
    incarnation: string,
    { indexes, series }: Trim,
  ): Promise<number> {
    const names = series.map((name) => JSON.stringify(name));
    const args = [taskId, incarnation, String(names.length), ...names, ...indexes.map(String)];
    const [removed] = await this.run(taskId, "trim_log", ...args);
    return removed as number;
  }

  async due(nowMs: number, limit: number): Promise<DueWork> {
    return await this.#due<DueKind>(DUE_KINDS, nowMs, limit);
  }

  async claim(
    work: Work,
    { nowMs, untilMs, limit }: { nowMs: number; untilMs: number; limit: number },
  ): Promise<ClaimedWork> {
    const claimed: { taskId: string; atMs: number }[] = [];
    for (;;) {
      const { entries, nextAtMs } = await this.#due([work], nowMs, limit - claimed.length);
      const mine = await this.#claimThese(work, entries, { nowMs, untilMs });
      claimed.push(...mine);
      // Another instance claimed some; each such round means that others made progress.
      if (mine.length < entries.length) continue;
      return {
        taskIds: claimed.map(({ taskId }) => taskId),
        ...(claimed.length > 0 && { oldestAtMs: claimed[0]!.atMs }),
        ...(nextAtMs !== undefined && { nextAtMs }),
      };
    }
  }

  async #claimThese<Entry extends { taskId: string }>(
    work: Work,
    entries: readonly Entry[],
    { nowMs, untilMs }: { nowMs: number; untilMs: number },
  ): Promise<Entry[]> {
    const byPartition = Map.groupBy(entries, ({ taskId }) => this.partitions.of(taskId));
    const replies = await Promise.all(
      [...byPartition].map(([base, waiting]) =>
        this.scripts.run(base, "claim", [
          work,
          String(nowMs),
          String(untilMs),
          ...waiting.map(({ taskId }) => taskId),
        ])
      ),
    );
    const mine = new Set(replies.flat());
    return entries.filter(({ taskId }) => mine.has(taskId));
  }

  async archived(
    taskId: string,
    at: TaskRevision,
    { againAtMs, releaseAtMs }: { againAtMs: number; releaseAtMs?: number },
  ): Promise<boolean> {
    const [isThere] = await this.run(
      taskId,
      "archived",
      taskId,
      ...revisionArgs(at),
      String(againAtMs),
      text(releaseAtMs),
    );
    return isThere === 1;
  }

  async schedule(
    taskId: string,
    work: Work,
    atMs: number | undefined,
    expected?: RevisionExpectation,
  ): Promise<boolean> {
    const [done] = await this.run(
      taskId,
      "schedule",
      taskId,
      ...revisionArgs(expected),
      work,
      text(atMs),
    );
    return done === 1;
  }

  async scheduled(
    work: Work,
    { limit, after }: { limit: number; after?: ScheduledTask },
  ): Promise<ScheduledTask[]> {
    const position = after === undefined ? ["-inf", ""] : [String(after.atMs), after.taskId];
    const all: ScheduledTask[] = [];
    for (
      const reply of await this.scripts.runOnAll("scheduled", [work, String(limit), ...position])
    ) {
      for (let i = 0; i < reply.length; i += 2) {
        all.push({ taskId: reply[i] as string, atMs: Number(reply[i + 1]) });
      }
    }
    all.sort((a, b) => a.atMs - b.atMs || (a.taskId < b.taskId ? -1 : 1));
    return all.slice(0, limit);
  }

  async readNotes(
    taskId: string,
    incarnation: string,
  ): Promise<Record<string, string> | undefined> {
    const [isThere, ...found] = await this.run(taskId, "read_notes", taskId, incarnation);
    if (isThere !== 1) return undefined;
    const notes: Record<string, string> = {};
    for (let i = 0; i < found.length; i += 2) notes[found[i] as string] = found[i + 1] as string;
    return notes;
  }

  async writeNote(
    taskId: string,
    incarnation: string,
    name: string,
    { from, to }: NoteChange,
  ): Promise<boolean> {
    const arg = (note: string | undefined) => note === undefined ? "" : `=${note}`;
    const args = [taskId, incarnation, name, arg(from), arg(to)];
    const [done] = await this.run(taskId, "write_note", ...args);
    return done === 1;
  }

  async check(): Promise<HealthReport | void> {
    return await this.#health.check();
  }

  async acceptLoss(...words: string[]): Promise<number> {
    if (words.length === 0 || !words.every((word) => /^[0-9a-f]{8}$/.test(word))) {
      throw new TypeError(
        "acceptLoss() needs the words that errors name: eight of the characters 0-9 and a-f each",
      );
    }
    return await this.scripts.acceptLoss(words);
  }

  close(): Promise<void> {
    this.scripts.close();
    this.#onClose();
    return Promise.resolve();
  }

  /**
   * Returns due work of some kinds, earliest first across partitions. Unavailable partitions do not
   * hold up the others and are asked again soon.
   */
  async #due<Kind extends string>(
    kinds: readonly Kind[],
    nowMs: number,
    limit: number,
  ): Promise<{ entries: { kind: Kind; taskId: string; atMs: number }[]; nextAtMs?: number }> {
    const all: { kind: Kind; taskId: string; atMs: number }[] = [];
    const args = [String(limit), ...kinds];
    const replies = await Promise.allSettled(
      this.partitions.bases.map((base) => this.scripts.run(base, "due", args)),
    );
    const failed = replies.filter((reply) => reply.status === "rejected");
    if (failed.length === replies.length) throw failed[0]!.reason;
    for (const reply of replies.flatMap((one) => one.status === "fulfilled" ? [one.value] : [])) {
      for (let i = 0; i < reply.length; i += 3) {
        const [kind, taskId, atMs] = reply.slice(i, i + 3);
        all.push({ kind: kind as Kind, taskId: taskId as string, atMs: Number(atMs) });
      }
    }
    all.sort((a, b) => a.atMs - b.atMs);
    const entries = all.filter(({ atMs }) => atMs <= nowMs).slice(0, limit);
    const next = all[entries.length]?.atMs ?? Infinity;
    const nextAtMs = failed.length > 0 ? Math.min(next, nowMs + ASK_AGAIN_MS) : next;
    return nextAtMs === Infinity ? { entries } : { entries, nextAtMs };
  }
}

/** Returns the drafts as stored; `special` has the entries that the script added details to. */
function storedOf(
  drafts: readonly EventDraft[],
  from: number,
  timestamp: number,
  special: readonly Reply[][],
): StoredEvent[] {
  if (special.length === 0) return drafts.map((draft, at) => asStored(draft, from + at, timestamp));
  const known = new Map(special.map((entry) => [entry[0] as number, entry]));
  let next = from;
  return drafts.map((draft, at) => {
    const [, first, second, third] = known.get(at) ?? [];
    if (third !== undefined) {
      return toStoredEvent(Number(first), second as string, third as string);
    }
    const resolved = first === undefined
      ? undefined
      : { mode: first as SeriesMode, field: second as string };
    return asStored(draft, next++, timestamp, resolved);
  });
}

function revisionArgs(expected: RevisionExpectation | undefined): string[] {
  if (expected === undefined) return ["", "", ""];
  const { incarnation, version, length } = expected;
  return [incarnation, text(version), text(length)];
}

function refusalOf(reply: readonly Reply[]): Refusal {
  const [code, first, second, third] = reply;
  switch (code) {
    case "TERMINAL":
      return { code, status: first as TaskStatus };
    case "SERIES_CONFLICT":
      return {
        code,
        at: Number(first),
        mode: second as string,
        ...(third !== "" && { accField: JSON.parse(third as string) }),
      };
    case "NO_DELTA":
      return { code, at: Number(first), accField: JSON.parse(second as string) };
    case "SEQUENCE_GAP":
      return { code, at: Number(first), expected: Number(second) };
    case "PRODUCER_FENCED":
      return { code, at: Number(first), epoch: Number(second) };
    default:
      return { code } as Refusal;
  }
}
