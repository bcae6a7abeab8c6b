import { TaskcastError } from "@taskcast/core/protocol";
import type { BodyLimits } from "../requests/body_limits.ts";
import { mediaType, readBytes } from "../requests/parse.ts";

/** Methods that read a body; Node 20 has no `bytes`. */
const READS = (["arrayBuffer", "blob", "bytes", "formData", "json", "text"] as const)
  .filter((name) => name in Response.prototype);

/** State of a lent body. */
interface Loan {
  /** Set if the loan ended before the body was read. The runtime's own methods read it again. */
  isOver: boolean;
  /** Reads the body; every call returns the same bytes. */
  bytes: () => Promise<AllowSharedBufferSource>;
  /** Set once the body was read, so that only the copy is left. */
  isKept: boolean;
}

const LOAN = Symbol("loan");

type Borrowed = Request & { [LOAN]: Loan };

/**
 * Lends a request to a function of the host that may read its body, and keeps the body readable
 * afterwards.
 *
 * The function gets the very same object, so any library can take it. Only the methods that read
 * the body are replaced, by another prototype, which takes a few microseconds. The body is read on
 * first request, within `limits`, and kept from then on. A body that is not requested is not
 * read. A stream of lines is not read: it may last for hours.
 *
 * @throws {TaskcastError} To the code that reads the body: `PAYLOAD_TOO_LARGE`, `REQUEST_TIMEOUT`,
 * `UNSUPPORTED_MEDIA_TYPE`.
 * @throws {TypeError} If the function consumed the body by other means.
 */
export async function lendBody<T>(
  request: Request,
  limits: BodyLimits,
  use: (request: Request) => T | Promise<T>,
): Promise<T> {
  if (request.method === "GET" || request.method === "HEAD") return await use(request);
  const own = Object.getPrototypeOf(request) as Request;
  let kept: Promise<AllowSharedBufferSource> | undefined;
  const loan: Loan = {
    isOver: false,
    isKept: false,
    bytes() {
      if (kept !== undefined) return kept;
      if (mediaType(request) === "application/x-ndjson") return Promise.reject(cannotWait());
      loan.isOver = true; // Lets the runtime's own methods read.
      kept = readBytes(request, limits);
      loan.isOver = false;
      loan.isKept = true;
      return kept;
    },
  };
  (request as Borrowed)[LOAN] = loan;
  Object.setPrototypeOf(request, lendingPrototype(own));
  const result = await use(request);
  if (loan.isKept) return result;
  loan.isOver = true;
  // For example by `new Request(request)`, which cannot be intercepted.
  if (request.bodyUsed) {
    throw new TypeError(
      "auth.authenticate consumed the request's body; read it from the request, or from a clone()",
    );
  }
  return result;
}

function cannotWait(): TaskcastError {
  return new TaskcastError(
    "UNSUPPORTED_MEDIA_TYPE",
    "This server reads the body to authenticate the caller, and cannot read a stream of lines: " +
      'send "content-type: application/json"',
  );
}

/** Lending prototypes by the original prototype of a request: the runtime's, or a listener's. */
const lendingPrototypes = new WeakMap<Request, object>();

function lendingPrototype(own: Request): object {
  let lending = lendingPrototypes.get(own);
  if (lending === undefined) {
    lending = makeLendingPrototype(own);
    lendingPrototypes.set(own, lending);
  }
  return lending;
}

/** Returns a prototype whose body methods return copies while the body is lent or kept. */
function makeLendingPrototype(own: Request): object {
  const get = (request: Request, name: keyof Request) => Reflect.get(own, name, request);
  const lending: PropertyDescriptorMap = {
    body: {
      get(this: Borrowed) {
        const body = get(this, "body");
        return this[LOAN].isOver || (body === null && !this[LOAN].isKept) ? body : copyOf(this);
      },
    },
    bodyUsed: {
      get(this: Borrowed) {
        return this[LOAN].isOver && get(this, "bodyUsed");
      },
    },
    clone: {
      value(this: Borrowed) {
        if (this[LOAN].isOver) return (get(this, "clone") as () => Request).call(this);
        const { url, method, headers, signal, body } = this;
        return new Request(url, { method, headers, signal, body, duplex: "half" } as RequestInit);
      },
    },
  };
  for (const name of READS) {
    lending[name] = {
      async value(this: Borrowed) {
        if (this[LOAN].isOver) return await (get(this, name) as () => unknown).call(this);
        const bytes = await this[LOAN].bytes() as Uint8Array<ArrayBuffer>;
        const type = this.headers.get("content-type") ?? "";
        return await new Response(bytes, { headers: { "content-type": type } })[name]();
      },
    };
  }
  return Object.create(own, lending);
}

function copyOf(request: Borrowed): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const chunk = new Uint8Array(await request[LOAN].bytes() as ArrayBuffer);
      if (chunk.length > 0) controller.enqueue(chunk);
      controller.close();
    },
  }, { highWaterMark: 0 });
}
