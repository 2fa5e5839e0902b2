/**
 * The Persistence API alone, as `@engawa/client/appdata`: key/value pairs of each user in the app. The classes of errors
 * are in `@engawa/client/errors`.
 */

import {
  type Answer,
  type ApiRequest,
  type CallOptions,
  connect,
  type Connection,
  type Options,
  randomKey,
} from "./connection.js";
import type { EngawaError } from "./errors.js";
import type { components } from "./generated/schema.js";

export { EngawaError } from "./errors.js";
export type { Budget, CallOptions, Options, TokenSource } from "./connection.js";

type Schemas = components["schemas"];
export type Data = Schemas["Data"];
export type UserData = Schemas["UserData"];
export type Usage = Schemas["Usage"];

/** One's own data with their version; friends' data have none, and one's own none if they exceed 5.5 MB. */
export interface VersionedData extends UserData {
  etag: string | undefined;
}

/** How many writes the window of 180 seconds still takes. */
export interface Rate {
  limit: number;
  remaining: number;
  /** Seconds until `remaining` grows. */
  reset: number;
}

export interface Written {
  etag: string | undefined;
  rate: Rate;
}

export interface Patched extends Written {
  /** The new values of the named keys. */
  data: Data;
}

/**
 * What {@link AppData.patch} does with one key. Numbers are whole, in decimal digits, since values are strings. `if`: only
 * if the key has this value now; null: if it is absent.
 */
export type Change = Schemas["Change"];

export interface RankingOptions extends CallOptions {
  /** Default `descending`: the highest value first. */
  sortOrder?: "ascending" | "descending";
  startIndex?: number | undefined;
  count?: number | undefined;
  /** Whether one's own entry takes part; it does by default. */
  includeSelf?: boolean;
}

export interface RankedData extends UserData {
  /** From 1; equal values share a rank. */
  rank: number;
}

export interface Ranking {
  entry: RankedData[];
  /** One's own entry, wherever it stands. */
  self?: RankedData;
  totalResults: number;
}

export interface ReadOptions extends CallOptions {
  /** `"@me"` (default), a friend's id, or `"@friends"`. */
  of?: string | undefined;
  /** Keys; absent: every key. */
  fields?: readonly string[] | undefined;
}

export interface WriteOptions extends CallOptions {
  /** Write only if this is still the version. */
  ifMatch?: string | undefined;
  /** `"*"`: write only if the user has no data. */
  ifNoneMatch?: "*" | undefined;
}

export interface PatchOptions extends WriteOptions {
  /**
   * The `Idempotency-Key`; absent: a new one for each call. `""`: none, as for more than 98 keys or 300,000 bytes; the
   * request is then never sent again.
   */
  key?: string | undefined;
}

export interface UpdateOptions extends CallOptions {
  /** The keys to read; absent: every key. Others can be written, too. */
  fields?: readonly string[] | undefined;
  /** How often to begin again if someone else writes meanwhile; default 10. */
  times?: number | undefined;
}

/** Names every key in {@link AppData.delete}. */
export const ALL = "*";

const PATH = "/2/apps/appdata/";

export class AppData {
  readonly #connection: Connection;

  /** `new AppData("https://social.example", { token })` */
  constructor(server: string | URL | Connection, options?: Options) {
    this.#connection = connect(server, options);
  }

  /** Read the data of all friends who have the app and any of the keys. */
  read(options: ReadOptions & { of: "@friends" }): Promise<UserData[]>;
  /** Read one's own data; undefined if `ifNoneMatch` is still their version. */
  read(options: ReadOptions & { ifNoneMatch: string }): Promise<VersionedData | undefined>;
  /** Read one's own data, or those of a friend. */
  read(options?: ReadOptions): Promise<VersionedData>;
  async read(options: ReadOptions & { ifNoneMatch?: string } = {}): Promise<UserData[] | VersionedData | undefined> {
    const { of = "@me", fields, ifNoneMatch, ...call } = options;
    const friends = of === "@friends";
    const { data, etag } = await this.#get<UserData[]>(friends ? "@me/" + of : encodeURIComponent(of) + "/@self", {
      ...call,
      // No names would be all names.
      query: { fields: fields?.join() === "" ? "-" : fields },
      headers: { "If-None-Match": ifNoneMatch },
    });
    return friends ? data.entry : data && { ...(data.entry[0] as UserData), etag };
  }

  /** Read how much of the quota and of the write window is used and left. */
  async usage(options?: CallOptions): Promise<Usage> {
    return (await this.#get<Usage>("@me/@usage", options)).data.entry;
  }

  /** Rank oneself and one's friends by a key, highest first. A friend who does not have it is absent. */
  async ranking(field: string, options: RankingOptions = {}): Promise<Ranking> {
    const { signal, budget, ...given } = options;
    const query = { fields: field, sortBy: field, sortOrder: "descending", includeSelf: true, ...given };
    return (await this.#get<RankedData[]>("@me/@friends", { query, signal, budget })).data as Ranking;
  }

  /** Store all pairs (1 to 99) or none; other keys stay as they are. */
  write(pairs: Data, options?: WriteOptions): Promise<Written> {
    return this.#change("POST", options, { json: pairs });
  }

  /** The same as {@link write}, by PUT. */
  merge(pairs: Data, options?: WriteOptions): Promise<Written> {
    return this.#change("PUT", options, { json: pairs });
  }

  /** Delete keys (1 to 99), or every key by `delete(ALL)`. Keys that do not exist are no error. */
  delete(fields: readonly string[] | typeof ALL, options?: WriteOptions): Promise<Written> {
    return this.#change("DELETE", options, { query: { fields: namesOf(fields) } });
  }

  /**
   * Change up to 99 keys by what they hold now, all or none, as one write; carried out once, also if it must be sent
   * again: `patch({ coins: { add: "-30", atLeast: "0" }, best: { max: "6150" } })`.
   */
  patch(changes: Readonly<Record<string, Change>>, options: PatchOptions = {}): Promise<Patched> {
    // The server keeps no answer to more than 98 keys or 300,000 bytes.
    const large = Object.keys(changes)[98] || new Blob([JSON.stringify(changes)]).size > 3e5;
    const { key = large ? "" : randomKey() } = options;
    return this.#change("PATCH", { ...options, key }, { json: changes, member: "entry", once: !key });
  }

  /**
   * Read the data, change them, and write what differs; begin again if someone else has written meanwhile. `change`
   * gets a copy and returns the new data, without the keys to delete; or undefined to change nothing. At most 99 keys
   * may differ.
   */
  async update(
    change: (data: Data) => Data | undefined | Promise<Data | undefined>,
    options: UpdateOptions = {},
  ): Promise<VersionedData> {
    const { fields, times = 10, ...call } = options;
    const read = (fields?: readonly string[]) => this.read({ ...call, fields });
    for (let time = 1; ; time++) {
      let before = await read(fields);
      // The version of large data comes alone; if they change before they are read, the write fails.
      if (!before.etag) {
        const { etag } = await read([]);
        before = { ...(await read(fields)), etag };
      }
      const { data, etag } = before;
      const after = await change({ ...data });
      if (!after) return before;
      const changes: Record<string, Change> = {};
      for (const key in data) if (!(key in after)) changes[key] = { delete: true };
      for (const key in after) if (after[key] !== data[key]) changes[key] = { set: after[key] as string };
      if (!Object.keys(changes)[0]) return before;
      try {
        return { ...before, data: after, etag: (await this.patch(changes, { ...call, ifMatch: etag })).etag };
      } catch (error) {
        if ((error as EngawaError).status !== 412 || time >= times) throw error;
      }
    }
  }

  #get<T>(path: string, request?: ApiRequest): Promise<Answer<{ entry: T }>> {
    return this.#connection.send("GET", PATH + path, { ...request, member: "entry" });
  }

  async #change(method: string, options: PatchOptions = {}, request: ApiRequest): Promise<Patched> {
    const { ifMatch, ifNoneMatch, key, ...call } = options;
    const sent = await this.#connection.send<{ entry?: [UserData] }>(method, PATH + "@me/@self", {
      member: "response_code",
      headers: { "If-Match": ifMatch, "If-None-Match": ifNoneMatch, "Idempotency-Key": key },
      ...call,
      ...request,
    });
    const rate = (name: string) => +sent.headers.get("X-RateLimit-" + name)!;
    const { etag, data } = sent;
    return {
      data: data.entry?.[0].data as Data,
      etag,
      rate: { limit: rate("Limit"), remaining: rate("Remaining"), reset: rate("Reset") },
    };
  }
}

/** Return the query's `fields`. Neither an empty list nor a name such as `*` must mean every key: a comma is refused. */
export function namesOf(fields: readonly string[] | typeof ALL): string {
  if (fields === ALL) return ALL;
  return (fields.every((name) => /^[\w.-]+$/.test(name)) && fields.join()) || ",";
}
