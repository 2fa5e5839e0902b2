/** How an app gets tokens: OAuth 2 with PKCE, client credentials, refresh. */

import { type ApiRequest, type CallOptions, Connection, fill, type Options, type TokenSource } from "./connection.js";
import { type EngawaError, failed } from "./errors.js";
import type { components } from "./generated/schema.js";

type Schemas = components["schemas"];
export type AuthorizationServer = Schemas["AuthorizationServer"];

/** Tokens, as they are stored. */
export interface Tokens {
  access: string;
  refresh: string | undefined;
  /** When to renew them, shortly before they expire: milliseconds since 1970, by this machine's clock. */
  renewAt: number;
  scope: string;
}

/** An authorization that the user is asked for; keep it until the browser returns. */
export interface Pending {
  /** The address to send the browser to. */
  url: string;
  state: string;
  codeVerifier: string;
  redirectUri: string | undefined;
  serverState: string | undefined;
}

/** A place for a value, such as {@link memory} or {@link webStorage}; undefined removes it. */
export interface Store<T> {
  get(): T | undefined | Promise<T | undefined>;
  set(value: T | undefined): void | Promise<void>;
  /** Carry out `work` while no one else who shares the store does so. */
  lock?<R>(work: () => Promise<R>): Promise<R>;
}

export interface AuthorizationOptions extends Pick<Options, "fetch" | "budget"> {
  clientId: string;
  /** Of a confidential app: on a server, never in a page or a phone app. */
  clientSecret?: string | undefined;
  /** One of the app's registered addresses; absent: the first one. */
  redirectUri?: string | undefined;
}

export interface AuthorizationRequest {
  scope: readonly string[];
  /** Run the app as this user's, viewed by the user who allows it. */
  owner?: string | undefined;
  /** From {@link Authorization.serverState}; the scope `openid` needs one. */
  serverState?: string | undefined;
  lang?: "ja" | "en" | undefined;
}

/** The server gives the same successor of a refresh token for 30 seconds. All attempts lie within. */
const REFRESH = { seconds: 25, attemptSeconds: 8 };

export class Authorization {
  readonly #connection: Connection;
  readonly #options: AuthorizationOptions;

  constructor(baseUrl: string | URL, options: AuthorizationOptions) {
    this.#connection = new Connection(baseUrl, {
      // The requests have secrets, which are for this server alone.
      fetch: (url, init) => (options.fetch ?? fetch)(url, { ...init, redirect: "error" }),
      budget: options.budget,
    });
    this.#options = options;
  }

  /** Make the address that asks a user. Store what is returned, send the browser to `url`, then {@link exchange}. */
  async authorizationUrl(request: AuthorizationRequest): Promise<Pending> {
    const { clientId: client_id, redirectUri: redirect_uri } = this.#options;
    if (!globalThis.crypto?.subtle) throw failed({ error: "invalid_request", description: "PKCE needs a page with https or on localhost" });
    const [state, codeVerifier] = [random(), random()];
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(codeVerifier));
    const url = new URL(`${this.#connection.baseUrl}/connect_authorize.pl`);
    const query = {
      client_id,
      response_type: "code",
      scope: request.scope.join(" "),
      state,
      redirect_uri,
      code_challenge: base64url(new Uint8Array(digest)),
      code_challenge_method: "S256",
      server_state: request.serverState,
      owner: request.owner,
      lang: request.lang,
    };
    fill(url.searchParams, query);
    return { url: url.href, state, codeVerifier, redirectUri: redirect_uri, serverState: request.serverState };
  }

  /**
   * Get the tokens when the browser has returned to the redirect URI with `?code=…`. Throws AccessDenied if the user
   * has refused, and InvalidRequest if the answer does not belong to `pending` or is another server's.
   *
   * It is sent once: a second use of a code would end the tokens of the first.
   */
  async exchange(returned: string | URL, pending: Pending | undefined, options?: CallOptions): Promise<Tokens> {
    const answer = new URL(returned).searchParams;
    const wrong = (description: string) => failed({ error: "invalid_request", description });
    if (!pending || answer.get("state") !== pending.state) {
      throw wrong("This answer does not belong to the authorization that this app began last; begin again");
    }
    const issuer = answer.get("iss")?.replace(/\/+$/, "");
    if (issuer !== this.#connection.baseUrl) {
      throw wrong(`The answer is of the server ${issuer}, not of ${this.#connection.baseUrl}`);
    }
    const error = answer.get("error");
    if (error) throw failed({ error, description: answer.get("error_description") ?? "The app was not allowed" });
    return this.#tokens(
      {
        grant_type: "authorization_code",
        code: answer.get("code") ?? "",
        redirect_uri: pending.redirectUri,
        code_verifier: pending.codeVerifier,
        server_state: pending.serverState,
      },
      { ...options, once: true },
    );
  }

  /** Get new tokens. A public app's refresh token changes, too. */
  refresh(refreshToken: string, options?: CallOptions): Promise<Tokens> {
    const form = { grant_type: "refresh_token", refresh_token: refreshToken };
    return this.#tokens(form, { ...options, budget: { ...options?.budget, ...REFRESH } });
  }

  /** Get a token of the app itself; for servers only. */
  clientCredentials(scope: readonly string[] = [], options?: CallOptions): Promise<Tokens> {
    return this.#tokens({ grant_type: "client_credentials", scope: scope.join(" ") || undefined }, options);
  }

  /** Get a `server_state`, for one authorization within 30 minutes. */
  async serverState(options?: CallOptions): Promise<string> {
    const form = { grant_type: "server_state" };
    return (await this.#post<Schemas["ServerState"]>("/2/token", form, { ...options, member: "server_state" })).server_state;
  }

  /** Revoke a refresh token and the consent that it came from. The access token stays valid until it expires. */
  async revoke(refreshToken: string, options?: CallOptions): Promise<void> {
    await this.#post("/2/authorize/revoke", { token: refreshToken }, options);
  }

  /** Read the metadata of the server (RFC 8414). */
  async metadata(options?: CallOptions): Promise<AuthorizationServer> {
    const path = "/.well-known/oauth-authorization-server";
    return (await this.#connection.send<AuthorizationServer>("GET", path, { ...options, member: "issuer" })).data;
  }

  /** Return a session over stored tokens, which it refreshes: `new Engawa(url, { token: session.token })`. */
  session(store: Store<Tokens>): Session {
    return new Session(store, (tokens) => {
      if (tokens?.refresh) return this.refresh(tokens.refresh);
      throw failed({ error: "invalid_grant", description: "There are no tokens: no user has signed in" });
    });
  }

  /** Return a session of the app itself; for servers only. */
  appSession(scope: readonly string[] = []): Session {
    return new Session(memory(), () => this.clientCredentials(scope));
  }

  async #tokens(form: Record<string, string | undefined>, options?: ApiRequest): Promise<Tokens> {
    const sent = Date.now();
    const tokens = await this.#post<Schemas["Tokens"]>("/2/token", form, { ...options, member: "access_token" });
    const { access_token: access, refresh_token: refresh, expires_in, scope } = tokens;
    return { access, refresh, renewAt: sent + expires_in * 950, scope };
  }

  async #post<T>(path: string, fields: Record<string, string | undefined>, request?: ApiRequest): Promise<T> {
    const { clientId: client_id, clientSecret: client_secret } = this.#options;
    const body = fill(new URLSearchParams(), { ...fields, client_id, client_secret });
    return (await this.#connection.send<T>("POST", path, { ...request, body })).data;
  }
}

/** Tokens that renew themselves, once for each expiry, however many tasks, or tabs with one store, ask. */
export class Session {
  readonly #store: Store<Tokens>;
  readonly #renew: (tokens: Tokens | undefined) => Promise<Tokens>;
  #renewing: Promise<string> | undefined;

  constructor(store: Store<Tokens>, renew: (tokens: Tokens | undefined) => Promise<Tokens>) {
    this.#store = store;
    this.#renew = renew;
  }

  /** Return an access token that is not `refused` and does not expire soon. Throws InvalidGrant if a user must sign in. */
  readonly token: TokenSource = async (refused) =>
    current(await this.#store.get(), refused) ??
    (this.#renewing ??= this.#once(refused).finally(() => {
      this.#renewing = undefined;
    }));

  #once(refused: string | undefined): Promise<string> {
    const work = async (): Promise<string> => {
      const tokens = await this.#store.get();
      // Another tab may have been faster.
      const access = current(tokens, refused);
      if (access) return access;
      try {
        const renewed = await this.#renew(tokens);
        await this.#store.set(renewed);
        return renewed.access;
      } catch (error) {
        // Without a lock, another tab may have used the refresh token and stored its successor.
        const stored = await this.#store.get();
        const another = stored?.access !== tokens?.access && current(stored, refused);
        if (another) return another;
        if ((error as EngawaError).error === "invalid_grant") await this.#store.set(undefined);
        throw error;
      }
    };
    return this.#store.lock ? this.#store.lock(work) : work();
  }
}

/** Return an access token that need not be renewed. */
function current(tokens: Tokens | undefined, refused: string | undefined): string | undefined {
  return tokens && tokens.access !== refused && Date.now() < tokens.renewAt ? tokens.access : undefined;
}

/** Return a store in this process's memory. */
export function memory<T>(value?: T): Store<T> {
  return {
    get: () => value,
    set: (next) => {
      value = next;
    },
  };
}

/**
 * Return a store that all tabs of an origin share; they take turns by Web Locks, if the browser has them.
 *
 * What one tab stores, another tab's process may see a moment later. So `set` stores at once, and its promise waits for
 * that moment: the lock is kept until then.
 */
export function webStorage<T>(key: string, storage: Pick<Storage, "getItem" | "setItem" | "removeItem"> = localStorage): Store<T> {
  const { locks } = globalThis.navigator ?? {};
  return {
    get: () => JSON.parse(storage.getItem(key) ?? "null") ?? undefined,
    set: (value) => {
      value === undefined ? storage.removeItem(key) : storage.setItem(key, JSON.stringify(value));
      return new Promise((done) => setTimeout(done, 200));
    },
    ...(locks && { lock: <R>(work: () => Promise<R>) => locks.request(key, work) as Promise<R> }),
  };
}

function random(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

function base64url(bytes: Uint8Array): string {
  const signs: Record<string, string> = { "+": "-", "/": "_", "=": "" };
  return btoa(String.fromCharCode(...bytes)).replace(/[+/=]/g, (sign) => signs[sign] as string);
}
