/**
 * A client for Engawa.
 *
 * ```js
 * const engawa = new Engawa("https://social.example", { token });
 * await engawa.appData.write({ level: "6" });
 * for await (const friend of engawa.people.friends()) console.log(friend.displayName);
 * ```
 */

import { AppData } from "./appdata.js";
import { type CallOptions, Connection, type Options } from "./connection.js";
import { PageApi } from "./pages.js";
import { PeopleApi } from "./people.js";
import { type Call, type CallAnswer, OpenSocialApi, rpc } from "./sharing.js";

export * from "./appdata.js";
export * from "./authorization.js";
export * from "./generated/words.js";
export { List, type Part } from "./lists.js";
export * from "./pages.js";
export * from "./people.js";
export { type Call, type CallAnswer, OpenSocialApi, type SharedData } from "./sharing.js";
export type * from "./sharing.js";

export class Engawa {
  readonly appData: AppData;
  readonly people: PeopleApi;
  readonly openSocial: OpenSocialApi;
  readonly #connection: Connection;
  readonly #public: Connection;

  constructor(baseUrl: string | URL, options?: Options) {
    this.#connection = new Connection(baseUrl, options);
    this.#public = new Connection(baseUrl, { ...options, token: undefined });
    this.appData = new AppData(this.#connection);
    this.people = new PeopleApi(this.#connection);
    this.openSocial = new OpenSocialApi(this.#connection);
  }

  /** Return one page. */
  page(id: string): PageApi {
    return new PageApi(this.#connection, id);
  }

  /** Carry out one call of JSON-RPC. */
  rpc(calls: Call, options?: CallOptions): Promise<CallAnswer>;
  /** Carry out up to 100 calls in order. Each succeeds or fails by itself; the answers are in the order of the calls. */
  rpc(calls: readonly Call[], options?: CallOptions): Promise<CallAnswer[]>;
  rpc(calls: Call | readonly Call[], options?: CallOptions): Promise<CallAnswer | CallAnswer[]> {
    return rpc(this.#connection, calls as Call, options);
  }

  /** Read the certificate (PEM) that verifies a start of a page app: `{kid}.pem`, or `current.pem`. */
  async certificate(name = "current.pem", options?: CallOptions): Promise<string> {
    const parse = (text: string) => text.startsWith("-----BEGIN CERTIFICATE-----") && text;
    const path = `/launch/${encodeURIComponent(name)}`;
    return (await this.#public.send<string>("GET", path, { ...options, parse })).data;
  }
}
