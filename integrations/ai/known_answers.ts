/** A page's knowledge of a chat's newest answer. */
export interface KnownAnswer {
  /** The id of its task. */
  answer?: string;
  /** The message that it answers, or the part of it that the page was opened with. */
  message?: string;
  /** The id of the page's message, where the answer does not say it. */
  messageId?: string;
  /** The page has all of it, or there is no more to be had. */
  isSettled?: boolean;
}

/** Chats that are remembered; a page has few. */
const MAX_CHATS = 100;

/**
 * A page's knowledge of the answers of its chats. It is not kept in a transport, because components
 * make a new one each time they render.
 */
export class KnownAnswers {
  readonly #byChat = new Map<string, KnownAnswer>();
  readonly #posts = new Set<{ chat: string; response: Promise<Response> }>();

  /** Returns the known answer of a chat, or the `opened` one unless it was settled before. */
  find(chat: string, opened: KnownAnswer | undefined): KnownAnswer {
    const known = this.#byChat.get(chat);
    if (known !== undefined && !known.isSettled) return known;
    const isNew = opened !== undefined && opened.message !== known?.message;
    return isNew ? opened : {};
  }

  /** Remembers a message that is on its way until it is answered. */
  async posting(chat: string, response: Promise<Response>): Promise<Response> {
    const post = { chat, response };
    this.#posts.add(post);
    try {
      return await response;
    } finally {
      this.#posts.delete(post);
    }
  }

  /** The messages of a chat that are on their way. */
  postsOf(chat: string): Promise<Response>[] {
    return [...this.#posts].filter((post) => post.chat === chat).map(({ response }) => response);
  }

  /** Remembers an answer that begins to be told. */
  remember(chat: string, known: KnownAnswer): void {
    this.#byChat.delete(chat);
    this.#byChat.set(chat, known);
    const [oldest] = this.#byChat.keys();
    if (this.#byChat.size > MAX_CHATS) this.#byChat.delete(oldest!);
  }

  /** Remembers that the page has all of an answer, unless it has a newer one by now. */
  settle(chat: string, known: KnownAnswer): void {
    const current = this.#byChat.get(chat);
    const isNewer = current !== undefined && !current.isSettled && current !== known &&
      current.answer !== known.answer;
    if (!isNewer) this.remember(chat, { message: known.message, isSettled: true });
  }
}
