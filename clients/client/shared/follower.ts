import type { EventEnvelope, OpenMessage } from "@taskcast/core/protocol";
import { SSE_EVENT } from "@taskcast/core/protocol";
import { onAbort } from "@taskcast/core/protocol";
import { sleep } from "../backoff.ts";
import type { FullConnectionOptions } from "../connection/connection_options.ts";
import type { Follow, FollowRequest } from "../follow.ts";
import { IdleTimer } from "../connection/idle_timer.ts";
import { MessageQueue } from "../message_queue.ts";
import type { SseMessage } from "../connection/sse_messages.ts";
import { sizeOf } from "../connection/sse_messages.ts";
import type { TaskMessage } from "../task_message.ts";
import { readMessage } from "../task_message.ts";
import type { SharePlatform } from "./platform.ts";
import { newName, post, Unshareable } from "./platform.ts";
import type { Numbered, Said, Standing } from "./protocol.ts";
import { exactIndex, isOtherLog } from "./protocol.ts";

/** Not a failure: the feed has ended or has run ahead; join again. */
class Moved extends Error {}

/** Messages of the leader that was joined. */
interface Feed {
  term: string;
  /** Number of messages before the first one of this feed. */
  before: number;
  nextN: number;
  queue: MessageQueue<Numbered>;
}

/** A leader's answer: "joined", or the index from which it could serve this stream. */
type Answer = "joined" | { after?: number };

/**
 * A stream of this tab that is fed by the leading tab, whichever it is. Its own cursor decides what
 * it yields; leaders come and go.
 */
export class Follower {
  readonly #request: FollowRequest;
  readonly #follow: Follow;
  readonly #options: FullConnectionOptions;
  readonly #channel: BroadcastChannel;
  readonly #onNoAnswer: () => void;
  readonly #stop: AbortSignal;
  readonly #name = newName();
  #cursor?: string;
  #term?: string;
  #n = 0;
  #feed?: Feed;
  #heard?: IdleTimer;
  /** Closes the connection that belongs to this stream alone. */
  #own?: AbortController;
  #failure?: { error: unknown };
  /** Set if the leader's log does not continue this stream. */
  #isApart = false;
  /** Set while a leader is asked: takes its answer, or asks again. */
  #asking?: { answer: (answer: Answer) => void; again: () => void };

  constructor(
    request: FollowRequest,
    { follow, options, platform, name, onNoAnswer, stop }: {
      /** Follows over connections that belong to this stream alone. */
      follow: Follow;
      options: FullConnectionOptions;
      platform: SharePlatform;
      /** The channel's name. */
      name: string;
      /** Called if no tab answers: another tab must take over. */
      onNoAnswer: () => void;
      stop: AbortSignal;
    },
  ) {
    this.#request = request;
    this.#follow = follow;
    this.#options = options;
    this.#cursor = request.cursor;
    this.#onNoAnswer = onNoAnswer;
    this.#stop = stop;
    this.#channel = new platform.BroadcastChannel(name);
    this.#channel.onmessage = ({ data }: MessageEvent<Said>) => this.#hear(data);
  }

  /** Current cursor of the stream. */
  get cursor(): string | undefined {
    return this.#cursor;
  }

  /** Ends the stream: the server refused it for good. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#own?.abort();
    this.#feed?.queue.end(error);
    this.#asking?.answer({});
  }

  close(): void {
    this.#channel.onmessage = null;
    this.#channel.close();
    this.#asking?.answer({});
  }

  /** Yields each message once, through the end of the task. */
  async *messages(): AsyncGenerator<TaskMessage, void> {
    while (!this.#stop.aborted) {
      const answer = await this.#ask();
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#stop.aborted) return;
      // A leader may have another log than this stream; the server then resets this stream.
      if (this.#isApart) this.#feed = undefined;
      const isJoined = answer === "joined" && !this.#isApart;
      this.#isApart = false;
      const after = answer === "joined" ? undefined : answer.after;
      const source = isJoined ? this.#together() : this.#alone(after);
      for await (const message of source) {
        yield message;
        if (message.event === SSE_EVENT.done) return;
      }
    }
  }

  /** Yields the leader's messages, until the leader changes or this stream falls behind. */
  async *#together(): AsyncGenerator<TaskMessage, void> {
    const feed = this.#feed!;
    const heard = new IdleTimer(this.#options.idleTimeoutMs, this.#stop);
    this.#heard = heard;
    onAbort(heard.signal, () => feed.queue.end(new Moved()));
    // A leader may be behind this stream and send messages that this stream already has.
    let knownThrough = exactIndex(this.#cursor);
    const own = this.#cursor;
    this.#term = feed.term;
    this.#n = feed.before;
    try {
      for await (const { n, message: raw } of feed.queue) {
        this.#n = n;
        const message = readTold(raw);
        if (isReset(message)) knownThrough = undefined;
        if (knownThrough !== undefined && isOtherLog(message.id, own)) {
          this.#isApart = true;
          return;
        }
        if (knownThrough !== undefined) {
          if (isKnown(message, knownThrough)) continue;
          if (message.event === SSE_EVENT.event) knownThrough = undefined;
        }
        if (message.id !== undefined) this.#cursor = message.id;
        yield message;
      }
    } catch (error) {
      if (!(error instanceof Moved)) throw error;
    } finally {
      this.#feed = this.#heard = undefined;
      heard.close();
    }
  }

  /**
   * Yields messages over a connection of this stream alone, until a leader can continue: at the
   * latest when both have reached the newest event.
   *
   * @param after Index from which the leader could continue.
   */
  async *#alone(after = -1): AsyncGenerator<TaskMessage, void> {
    const own = this.#own = new AbortController();
    const forgetStop = onAbort(this.#stop, () => own.abort());
    const join = async () => {
      const answer = await this.#ask();
      if (answer !== "joined") after = answer.after ?? -1;
      // Meanwhile this stream may have reached a position from which only its own connection
      // continues.
      else if (exactIndex(this.#cursor) === undefined) this.#feed = undefined;
      else own.abort();
    };
    this.#term = undefined;
    try {
      const messages = this.#follow({
        ...this.#request,
        cursor: this.#cursor,
        signal: own.signal,
      });
      for await (const message of messages) {
        if (message.id !== undefined) this.#cursor = message.id;
        yield message;
        const index = exactIndex(this.#cursor);
        if (index !== undefined && index >= after && this.#asking === undefined) void join();
      }
    } finally {
      forgetStop();
      own.abort();
    }
  }

  /** Asks the leader to continue from the current position, until there is an answer. */
  async #ask(): Promise<Answer> {
    if (this.#feed !== undefined) return "joined"; // A leader joined while this stream was alone.
    if (this.#failure !== undefined) return {};
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const answered = new AbortController();
    this.#asking = {
      answer: (answer) => {
        this.#asking = undefined;
        answered.abort();
        resolve(answer);
      },
      again: () => {
        try {
          post(this.#channel, { kind: "join", from: this.#name, standing: this.#standing() });
        } catch (error) {
          this.fail(error);
        }
      },
    };
    this.#asking.again();
    void this.#insist(answered.signal);
    return await promise;
  }

  async #insist(answered: AbortSignal): Promise<void> {
    const { takeOverMs, random = Math.random } = this.#options;
    for (;;) {
      await sleep(takeOverMs * (1 + random()), answered);
      if (answered.aborted || this.#stop.aborted) return;
      this.#onNoAnswer();
      this.#asking?.again();
    }
  }

  #standing(): Standing {
    const { urlAt } = this.#request;
    const url = urlAt(this.#cursor);
    // A reader that wants only the last events after its cursor cannot be served with all of them.
    const isCut = new URL(url).searchParams.has("limit");
    return {
      start: startOf(url, this.#cursor),
      cursor: isCut || exactIndex(this.#cursor) === undefined ? undefined : this.#cursor,
      term: this.#term,
      n: this.#n,
    };
  }

  #hear(said: Said): void {
    const feed = this.#feed;
    const isFromLeader = feed !== undefined && said.kind !== "join" && said.term === feed.term;
    if (isFromLeader) this.#heard?.restart();
    switch (said.kind) {
      case "lead":
        if (feed?.term !== said.term) feed?.queue.end(new Moved());
        this.#asking?.again();
        break;
      case "message":
        if (!isFromLeader || said.n < feed.nextN) return;
        if (said.n > feed.nextN) return feed.queue.end(new Moved());
        feed.nextN++;
        if (!feed.queue.push({ n: said.n, message: said.message })) feed.queue.end(new Moved());
        break;
      case "trouble":
        if (isFromLeader) this.#tellTrouble(said);
        break;
      case "end":
        if (isFromLeader) feed.queue.end(new Moved());
        break;
      case "backlog":
        if (said.to === this.#name && this.#asking !== undefined) {
          this.#feed = this.#feedOf(said);
          this.#asking.answer("joined");
        }
        break;
      case "unserved":
        if (said.to === this.#name) this.#asking?.answer({ after: said.after });
    }
  }

  #tellTrouble({ text, delayMs }: { text: string; delayMs: number }): void {
    try {
      this.#request.onReconnect?.(new Error(text), delayMs);
    } catch (error) {
      this.fail(error); // The host's callback threw; the host gets the error where it reads.
    }
  }

  #feedOf({ term, n, items }: { term: string; n: number; items: Numbered[] }): Feed {
    const size = ({ message }: Numbered) => sizeOf(message);
    const queue = new MessageQueue<Numbered>(this.#options.maxBufferedChars, size);
    for (const item of items) queue.push(item); // All items: leaders keep no more than the bound.
    return { term, before: n - items.length, nextN: n + 1, queue };
  }
}

/** Returns the key of a stream's start. Streams with equal keys are the same stream. */
export function startOf(url: string, cursor: string | undefined): string {
  return `${url} ${cursor ?? ""}`;
}

/** Returns whether the store was restored to an earlier state, so that everything starts over. */
function isReset({ event, value }: TaskMessage): boolean {
  return event === SSE_EVENT.open && (value as OpenMessage).reset === true;
}

/**
 * Returns whether a message brings nothing new to a reader that has everything through an index.
 */
function isKnown({ event, value, id }: TaskMessage, through: number): boolean {
  if (event === undefined) return (exactIndex(id) ?? Infinity) <= through;
  return event === SSE_EVENT.event && (value as EventEnvelope).rawIndex <= through;
}

/** Reads a message of a leader. Leaders of old versions pass on damaged messages as well. */
function readTold(message: SseMessage): TaskMessage {
  try {
    return readMessage(message);
  } catch {
    // The leader would repeat the damaged message; the server would not.
    throw new Unshareable();
  }
}
