/** Information Sharing: OpenSocial 0.8 over the same data and people, as JSON-RPC and REST. */

import { type CallOptions, connect, type Connection, type Options } from "./connection.js";
import { type ALL, type Data, namesOf, type WriteOptions } from "./appdata.js";
import type { components, operations } from "./generated/schema.js";

type Schemas = components["schemas"];
export type Call = Schemas["Call"];
export type CallAnswer = Schemas["CallAnswer"];
export type OpenSocialPeople = Schemas["OpenSocialPeople"];

type PeopleQuery = NonNullable<operations["readOpenSocialPeople"]["parameters"]["query"]>;

export interface OpenSocialPeopleOptions
  extends CallOptions, Pick<PeopleQuery, "startIndex" | "count" | "sortBy" | "sortOrder" | "filterBy" | "filterValue"> {
  /** `@self` (default), `@friends` or `@all`. */
  selector?: "@self" | "@friends" | "@all" | undefined;
  fields?: readonly string[] | undefined;
}

export interface OpenSocialDataOptions extends CallOptions {
  selector?: "@self" | "@friends" | undefined;
  fields?: readonly string[] | undefined;
}

/** The data of several users by their ids, `mixi.jp:<id>`. */
export interface SharedData {
  entry: Record<string, Data>;
  /** The version, if they are one's own alone. */
  etag: string | undefined;
}

const OWN = "/os/0.8/appdata/@me/@self/@app";

/** OpenSocial's REST protocol 0.8. A user is `@me`, `@viewer`, `@owner`, an id, or several, separated by commas. */
export class OpenSocialApi {
  readonly #connection: Connection;

  constructor(server: string | URL | Connection, options?: Options) {
    this.#connection = connect(server, options);
  }

  /** Read oneself, anyone who has installed the app, or friends. */
  async people(guid = "@me", options: OpenSocialPeopleOptions = {}): Promise<OpenSocialPeople> {
    const { selector = "@self", signal, budget, ...query } = options;
    const path = `/os/0.8/people/${encodeURIComponent(guid)}/${selector}`;
    return (await this.#connection.send<OpenSocialPeople>("GET", path, { query, signal, budget, member: "entry" })).data;
  }

  /** Read values of oneself, of friends, or of anyone who has installed the app. */
  async data(guid = "@me", options: OpenSocialDataOptions = {}): Promise<SharedData> {
    const { selector = "@self", fields, ...call } = options;
    const path = `/os/0.8/appdata/${encodeURIComponent(guid)}/${selector}/@app`;
    const request = { ...call, query: { fields }, member: "entry" };
    const { data, etag } = await this.#connection.send<SharedData>("GET", path, request);
    return { entry: data.entry, etag };
  }

  /** Store all pairs (1 to 99) or none; other keys stay as they are. Return the version. */
  write(pairs: Data, options?: WriteOptions): Promise<string | undefined> {
    return this.#change("POST", { json: pairs }, options);
  }

  /** The same as {@link write}, by PUT. */
  merge(pairs: Data, options?: WriteOptions): Promise<string | undefined> {
    return this.#change("PUT", { json: pairs }, options);
  }

  /** Delete keys (1 to 99), or every key by `delete(ALL)`. Return the version. */
  delete(fields: readonly string[] | typeof ALL, options?: WriteOptions): Promise<string | undefined> {
    return this.#change("DELETE", { query: { fields: namesOf(fields) } }, options);
  }

  async #change(method: string, request: object, options: WriteOptions = {}): Promise<string | undefined> {
    const { ifMatch, ifNoneMatch, ...call } = options;
    const headers = { "If-Match": ifMatch, "If-None-Match": ifNoneMatch };
    return (await this.#connection.send(method, OWN, { ...call, ...request, headers })).etag;
  }
}

/** Carry out one call of JSON-RPC. */
export function rpc(connection: Connection, calls: Call, options?: CallOptions): Promise<CallAnswer>;
/** Carry out up to 100 calls in order. Each succeeds or fails by itself; the answers are in the order of the calls. */
export function rpc(connection: Connection, calls: readonly Call[], options?: CallOptions): Promise<CallAnswer[]>;
export async function rpc(
  connection: Connection,
  calls: Call | readonly Call[],
  options?: CallOptions,
): Promise<CallAnswer | CallAnswer[]> {
  // The answer to one call has `jsonrpc`, a list of answers has `length`.
  const member = Array.isArray(calls) ? "length" : "jsonrpc";
  // Everything else may be carried out twice.
  const once = [calls].flat().some((call) => (call as { method: string }).method === "appdata.patch");
  return (await connection.send<CallAnswer>("POST", "/rpc", { ...options, json: calls, member, once })).data;
}
