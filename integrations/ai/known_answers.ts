/** The part of a chat's newest answer that the page has. */
export interface KnownAnswer {
  /** Id of the answer's task. */
  answer?: string;
  /** Id of the answered message, or of the incomplete answer with which the page was opened. */
  message?: string;
  /** Id of the page's message, if the answer itself contains none. */
  messageId?: string;
  /** Set if the page has the whole answer, or if the rest is lost. */
  isComplete?: boolean;
}

/** Maximum number of chats; the least recently recorded one is dropped. */
const MAX_CHATS = 100;

/**
 * The newest answer of each chat on a page. Not a part of the transport, because components may
 * create a new transport on each render.
 */
export class KnownAnswers {
  readonly #byChat = new Map<string, KnownAnswer>();
  readonly #posts = new Set<{ chat: string; response: Promise<Response> }>();

  /** Returns the recorded answer of a chat, or else `opened`, unless that is complete. */
  find(chat: string, opened: KnownAnswer | undefined): KnownAnswer {
    const known = this.#byChat.get(chat);
    if (known !== undefined && !known.isComplete) return known;
    const isNew = opened !== undefined && opened.message !== known?.message;
    return isNew ? opened : {};
  }

  /** Keeps the request that posts a message in {@linkcode postsOf} until its response arrives. */
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
  record(chat: string, known: KnownAnswer): void {
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
    if (!isNewer) this.record(chat, { message: known.message, isComplete: true });
  }
}
