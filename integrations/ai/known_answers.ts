/** A page's knowledge of a chat's newest answer. */
export interface KnownAnswer {
  /** The id of its task. */
  answer?: string;
  /** The message that it answers, or the part of it that the page was opened with. */
  message?: string;
  /** The id of the page's message, if the answer does not contain it. */
  messageId?: string;
  /** Set if the page has the whole answer, or if the rest is lost. */
  isComplete?: boolean;
}

/** Maximum number of chats to remember; a page has few. */
const MAX_CHATS = 100;

/**
 * Answers that a page knows, by chat. They are not kept in a transport, because components create a
 * new one on each render.
 */
export class KnownAnswers {
  readonly #byChat = new Map<string, KnownAnswer>();
  readonly #posts = new Set<{ chat: string; response: Promise<Response> }>();

  /** Returns the known answer of a chat, or the `opened` one unless it was settled before. */
  find(chat: string, opened: KnownAnswer | undefined): KnownAnswer {
    const known = this.#byChat.get(chat);
    if (known !== undefined && !known.isComplete) return known;
    const isNew = opened !== undefined && opened.message !== known?.message;
    return isNew ? opened : {};
  }

  /** Tracks the posting of a message until it is answered. */
  async trackPost(chat: string, response: Promise<Response>): Promise<Response> {
    const post = { chat, response };
    this.#posts.add(post);
    try {
      return await response;
    } finally {
      this.#posts.delete(post);
    }
  }

  /** Returns the pending posts of a chat. */
  postsOf(chat: string): Promise<Response>[] {
    return [...this.#posts].filter((post) => post.chat === chat).map(({ response }) => response);
  }

  /** Records an answer whose delivery begins. */
  remember(chat: string, known: KnownAnswer): void {
    this.#byChat.delete(chat);
    this.#byChat.set(chat, known);
    const [oldest] = this.#byChat.keys();
    if (this.#byChat.size > MAX_CHATS) this.#byChat.delete(oldest!);
  }

  /** Records that an answer is complete on the page, unless the page has a newer one by now. */
  complete(chat: string, known: KnownAnswer): void {
    const current = this.#byChat.get(chat);
    const isNewer = current !== undefined && !current.isComplete && current !== known &&
      current.answer !== known.answer;
    if (!isNewer) this.remember(chat, { message: known.message, isComplete: true });
  }
}
