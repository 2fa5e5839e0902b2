/** One connection to a server: tokens, retries within a budget, and answers that are none. */

import { EngawaError, failed } from "./errors.js";

/**
 * Gives access tokens. Called before each request; after a 401 once more, with the refused token: if it then returns
 * another one, the request is sent again.
 */
export type TokenSource = (refused?: string) => string | Promise<string>;

/** Bounds of one call, with all its attempts and waits. */
export interface Budget {
  /** Attempts in all; default 5. */
  attempts?: number | undefined;
  /** Seconds in all; default 60. A wait that would not fit is not begun: the error is thrown at once. */
  seconds?: number | undefined;
  /** Seconds that one attempt may take; default 30. */
  attemptSeconds?: number | undefined;
}

/** What every call takes. */
export interface CallOptions {
  signal?: AbortSignal | undefined;
  budget?: Budget | undefined;
}

export interface Options {
  /** An access token, or a source of them such as {@link Session.token}. */
  token?: string | TokenSource | undefined;
  budget?: Budget | undefined;
  /** Instead of the global `fetch`. */
  fetch?: typeof globalThis.fetch | undefined;
}

/** A request of one of the APIs. */
export interface ApiRequest extends CallOptions {
  query?: Readonly<Record<string, unknown>> | undefined;
  headers?: Record<string, string | undefined>;
  /** A body to send as JSON. */
  json?: unknown;
  body?: FormData | URLSearchParams;
  /** Whether it must not be sent again after a failure. */
  once?: boolean;
  /** The member that the answer's JSON must have. */
  member?: string;
  /** Reads the answer's text, instead of `JSON.parse`. */
  parse?: (text: string) => unknown;
}

/** An answer of 2xx, or a 304. */
export interface Answer<T> {
  status: number;
  headers: Headers;
  data: T;
  /** The version of one's app data, if the answer has it. */
  etag: string | undefined;
}

export class Connection {
  readonly baseUrl: string;
  readonly #options: Options;

  constructor(baseUrl: string | URL, options: Options = {}) {
    this.baseUrl = new URL(baseUrl).href.replace(/\/+$/, "");
    this.#options = options;
  }

  /**
   * Send a request until it succeeds or its budget is spent. Throws EngawaError, or the signal's reason.
   *
   * A deletion whose earlier attempt got no answer has succeeded if there is nothing to delete any more.
   */
  async send<T>(method: string, path: string, request: ApiRequest = {}): Promise<Answer<T>> {
    const { token } = this.#options;
    const { signal, once } = request;
    const { attempts = 5, seconds = 60, attemptSeconds = 30 } = { ...this.#options.budget, ...request.budget };
    const now = () => performance.now();
    const end = now() + seconds * 1e3;
    const ask = async (refused?: string) => (typeof token === "function" ? token(refused) : token);
    let access = await ask();
    let refused: string | undefined;
    let uncertain = false;
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted();
      const answer = await this.#attempt<T>(method, path, request, access, Math.min(attemptSeconds * 1e3, end - now()));
      if (!(answer instanceof EngawaError)) return answer;
      const { status, retryAfter = 0, error } = answer;
      if (status === 401 && access && !refused) {
        refused = access;
        access = await ask(refused);
        if (access !== refused) continue;
      }
      if (uncertain && status === 404 && method === "DELETE") return {} as Answer<T>;
      answer.uncertain = uncertain ||= !status || status >= 500;
      const wait = Math.max(retryAfter * 1e3, Math.min(125 * 2 ** attempt, 1e4) * (1 + Math.random()));
      const again = [0, 429, 502, 503, 504].includes(status) || error === "idempotency_in_progress";
      if (!again || once || attempt >= attempts || now() + wait > end) throw answer;
      await sleep(wait, signal);
    }
  }

  /** Send a request once. Return its answer, or its failure. */
  async #attempt<T>(
    method: string,
    path: string,
    { json, body, query, headers, member, parse = JSON.parse, signal }: ApiRequest,
    token: string | undefined,
    milliseconds: number,
  ): Promise<Answer<T> | EngawaError> {
    const timeout = AbortSignal.timeout(Math.ceil(Math.max(milliseconds, 0)));
    // An id that is empty or has only dots would change the path; `-` is the id of nothing.
    const url = new URL(this.baseUrl + path.replace(/\/\.*(?![^/])/g, "/-"));
    fill(url.searchParams, query);
    let answer: Response;
    let text: string;
    try {
      // A large answer is a redirect to a file. fetch follows it without the token, since it leads to another origin.
      answer = await (this.#options.fetch ?? fetch)(url, {
        method,
        headers: fill(new Headers(), {
          ...headers,
          Authorization: token && `Bearer ${token}`,
          "Content-Type": json && "application/json",
        }),
        body: json ? JSON.stringify(json) : (body as BodyInit),
        credentials: "omit",
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
      text = await answer.text();
    } catch (cause) {
      signal?.throwIfAborted();
      const why = timeout.aborted ? "no answer in time" : reason(cause);
      return failed({ error: "unreachable", description: `${this.baseUrl} cannot be reached: ${why}`, cause });
    }
    const { status, ok, headers: received, redirected } = answer;
    const header = (name: string) => received.get(name) ?? undefined;
    let data: any;
    try {
      data = parse(text);
    } catch {
      // Named below.
    }
    if (status === 304 || (ok && (member ? data?.[member] !== undefined : data || status === 204))) {
      // A file has a version of its own, which is not that of the data.
      const etag = redirected ? undefined : header("ETag");
      return { status, headers: received, etag, data };
    }
    const failure = {
      status,
      requestId: header("X-Request-Id") ?? header("X-Amz-Cf-Id"),
      retryAfter: secondsUntil(header("Retry-After"), header("Date")),
    };
    // A refusal of a whole body by /rpc has its sentence in `error`.
    const sentence = data?.error_description ?? data?.error?.message;
    if (!ok && sentence && data.error) {
      return failed({ ...failure, error: data.error.message ? "bad_request" : data.error, description: sentence });
    }
    const found = data ? "JSON of another form" : `no JSON but ${header("Content-Type") ?? "nothing"}`;
    const description = `${this.baseUrl} did not answer as an Engawa server: ${method} ${path} gave ${status} with ${found}`;
    return failed({ ...failure, error: "not_engawa", description });
  }
}

/** Return the connection to a server; one that exists is used as it is. */
export function connect(server: string | URL | Connection, options?: Options): Connection {
  return server instanceof Connection ? server : new Connection(server, options);
}

/** Return a random key; pages without HTTPS have no `crypto.randomUUID`. */
export function randomKey(): string {
  return crypto.getRandomValues(new Uint32Array(8)).join("-");
}

/** Add the values that are given and not empty. A list is joined by commas. */
export function fill<T extends Headers | URLSearchParams>(target: T, values: Readonly<Record<string, unknown>> = {}): T {
  for (const name in values) if ((values[name] ?? "") !== "") target.set(name, String(values[name]));
  return target;
}

/**
 * Return the seconds until a `Retry-After`, a number or a date. A date is compared with the server's own clock if its
 * answer tells it.
 */
function secondsUntil(value = "", date = ""): number | undefined {
  const seconds = /^\d+$/.test(value) ? +value : (Date.parse(value) - (Date.parse(date) || Date.now())) / 1e3;
  return seconds >= 0 ? seconds : undefined;
}

/** Wait, never shorter than said: a timer of a busy process may fire early, since it counts from an earlier moment. */
function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((done, fail) => {
    const end = performance.now() + milliseconds;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const check = () => {
      const left = end - performance.now();
      clearTimeout(timer);
      if (left > 0 && !signal?.aborted) timer = setTimeout(check, left);
      else {
        signal?.removeEventListener("abort", check);
        signal?.aborted ? fail(signal.reason) : done();
      }
    };
    signal?.addEventListener("abort", check);
    check();
  });
}

/** Say why there was no answer. Node puts the reason into the cause; a browser says nothing. */
function reason(error: unknown): string {
  const { message, cause } = error as { message: string; cause?: { message?: string; code?: string } };
  const said = cause?.message || cause?.code || message;
  return "document" in globalThis ? `${said} (is this origin registered?)` : said;
}
