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
import type { Numbered, Standing, TabMessage } from "./protocol.ts";
import { exactIndex, isOtherLog } from "./protocol.ts";

/**
 * Signals that the feed has ended or has dropped messages, and that the stream must join again. Not
 * a failure.
 */
class FeedEnded extends Error {}

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
 * A stream of this tab that gets its messages from the leading tab. Leaders may change: the stream's
 * own cursor decides which messages it yields.
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
  #leaderTimer?: IdleTimer;
  /** Closes this stream's own connection. */
  #ownConnection?: AbortController;
  #failure?: { error: unknown };
  /** Set if the leader's log does not continue this stream. */
  #hasOtherLog = false;
  /** The pending request to join: settles it, or sends it again. */
  #asking?: { answer: (answer: Answer) => void; again: () => void };

  constructor(
    request: FollowRequest,
    { follow, options, platform, name, onNoAnswer, stop }: {
      /** Follows over this stream's own connections. */
      follow: Follow;
      options: FullConnectionOptions;
      platform: SharePlatform;
      /** The channel's name. */
      name: string;
      /** Called if no tab answers in time, so that this tab takes over. */
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
    this.#channel.onmessage = ({ data }: MessageEvent<TabMessage>) => this.#receive(data);
  }

  /** Current cursor of the stream. */
  get cursor(): string | undefined {
    return this.#cursor;
  }

  /** Ends the stream: the server refused it for good. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#ownConnection?.abort();
    this.#feed?.queue.end(error);
    this.#asking?.answer({});
  }

  close(): void {
    this.#channel.onmessage = null;
    this.#channel.close();
    this.#asking?.answer({});
  }

  /** Yields each message once, up to and including the end of the task. */
  async *messages(): AsyncGenerator<TaskMessage, void> {
    while (!this.#stop.aborted) {
      const answer = await this.#ask();
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#stop.aborted) return;
      // If the leader has another log than this stream, the server is asked, and resets this stream.
      if (this.#hasOtherLog) this.#feed = undefined;
      const isJoined = answer === "joined" && !this.#hasOtherLog;
      this.#hasOtherLog = false;
      const after = answer === "joined" ? undefined : answer.after;
      const source = isJoined ? this.#fromLeader() : this.#fromServer(after);
      for await (const message of source) {
        yield message;
        if (message.event === SSE_EVENT.done) return;
      }
    }
  }

  /** Yields the leader's messages, until the leader changes or this stream falls behind. */
  async *#fromLeader(): AsyncGenerator<TaskMessage, void> {
    const feed = this.#feed!;
    const leaderTimer = new IdleTimer(this.#options.idleTimeoutMs, this.#stop);
    this.#leaderTimer = leaderTimer;
    onAbort(leaderTimer.signal, () => feed.queue.end(new FeedEnded()));
    // A leader may be behind this stream and send messages that this stream already has.
    let knownThrough = exactIndex(this.#cursor);
    const own = this.#cursor;
    this.#term = feed.term;
    this.#n = feed.before;
    try {
      for await (const { n, message: raw } of feed.queue) {
        this.#n = n;
        const message = readFromLeader(raw);
        if (isReset(message)) knownThrough = undefined;
        if (knownThrough !== undefined && isOtherLog(message.id, own)) {
          this.#hasOtherLog = true;
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
      if (!(error instanceof FeedEnded)) throw error;
    } finally {
      this.#feed = this.#leaderTimer = undefined;
      leaderTimer.close();
    }
  }

  /**
   * Yields messages over this stream's own connection until a leader can continue, which is at the
   * latest when both have reached the newest event.
   *
   * @param after Index from which the leader could continue.
   */
  async *#fromServer(after = -1): AsyncGenerator<TaskMessage, void> {
    const own = this.#ownConnection = new AbortController();
    const removeStopListener = onAbort(this.#stop, () => own.abort());
    const join = async () => {
      const answer = await this.#ask();
      if (answer !== "joined") after = answer.after ?? -1;
      // This stream may now be in the middle of a replay, which only its own connection continues.
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
      removeStopListener();
      own.abort();
    }
  }

  /** Asks the leader to continue from the current position, until there is an answer. */
  async #ask(): Promise<Answer> {
    // A leader's answer arrived while this stream used its own connection.
    if (this.#feed !== undefined) return "joined";
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
    void this.#repeatUntilAnswered(answered.signal);
    return await promise;
  }

  /** Sends the request again, and asks for a take-over, until there is an answer. */
  async #repeatUntilAnswered(answered: AbortSignal): Promise<void> {
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
    // With a limit, only the last events after the cursor are wanted, but a leader would send all.
    const isCut = new URL(url).searchParams.has("limit");
    return {
      start: startOf(url, this.#cursor),
      cursor: isCut || exactIndex(this.#cursor) === undefined ? undefined : this.#cursor,
      term: this.#term,
      n: this.#n,
    };
  }

  #receive(tabMessage: TabMessage): void {
    const feed = this.#feed;
    const isFromLeader = feed !== undefined && tabMessage.kind !== "join" &&
      tabMessage.term === feed.term;
    if (isFromLeader) this.#leaderTimer?.restart();
    switch (tabMessage.kind) {
      case "lead":
        if (feed?.term !== tabMessage.term) feed?.queue.end(new FeedEnded());
        this.#asking?.again();
        break;
      case "message":
        if (!isFromLeader || tabMessage.n < feed.nextN) return;
        if (tabMessage.n > feed.nextN) return feed.queue.end(new FeedEnded());
        feed.nextN++;
        if (!feed.queue.push({ n: tabMessage.n, message: tabMessage.message })) {
          feed.queue.end(new FeedEnded());
        }
        break;
      case "trouble":
        if (isFromLeader) this.#reportTrouble(tabMessage);
        break;
      case "end":
        if (isFromLeader) feed.queue.end(new FeedEnded());
        break;
      case "backlog":
        if (tabMessage.to === this.#name && this.#asking !== undefined) {
          this.#feed = this.#feedOf(tabMessage);
          this.#asking.answer("joined");
        }
        break;
      case "unserved":
        if (tabMessage.to === this.#name) this.#asking?.answer({ after: tabMessage.after });
    }
  }

  #reportTrouble({ text, delayMs }: { text: string; delayMs: number }): void {
    try {
      this.#request.onReconnect?.(new Error(text), delayMs);
    } catch (error) {
      this.fail(error); // The host's callback threw. Its loop over the stream receives the error.
    }
  }

  #feedOf({ term, n, items }: { term: string; n: number; items: Numbered[] }): Feed {
    const size = ({ message }: Numbered) => sizeOf(message);
    const queue = new MessageQueue<Numbered>(this.#options.maxBufferedChars, size);
    for (const item of items) queue.push(item); // All items: leaders keep no more than the bound.
    return { term, before: n - items.length, nextN: n + 1, queue };
  }
}

/** Returns the key of a stream's start. Streams with equal keys have the same messages. */
export function startOf(url: string, cursor: string | undefined): string {
  return `${url} ${cursor ?? ""}`;
}

/** Returns whether the store was restored to an earlier state, so that everything starts over. */
function isReset({ event, value }: TaskMessage): boolean {
  return event === SSE_EVENT.open && (value as OpenMessage).reset === true;
}

/**
 * Returns whether a message contains nothing after `through`, the index up to which the reader has
 * everything.
 */
function isKnown({ event, value, id }: TaskMessage, through: number): boolean {
  if (event === undefined) return (exactIndex(id) ?? Infinity) <= through;
  return event === SSE_EVENT.event && (value as EventEnvelope).rawIndex <= through;
}

/** Parses a leader's message, which may be damaged: leaders of old versions do not check it. */
function readFromLeader(message: SseMessage): TaskMessage {
  try {
    return readMessage(message);
  } catch {
    // The leader has kept the damaged message. The server has the undamaged one.
    throw new Unshareable();
  }
}
