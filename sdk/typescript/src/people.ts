/** The People API: profiles of a user and of the user's friends. */

import { type CallOptions, connect, type Connection, type Options } from "./connection.js";
import type { components, operations } from "./generated/schema.js";
import { List } from "./lists.js";

export type Person = components["schemas"]["Person"];
/** A field of a person. */
export type PersonField = keyof Person;

type Query = NonNullable<operations["readPeople"]["parameters"]["query"]>;

export interface FriendsOptions extends CallOptions, Pick<Query, "sortBy" | "sortOrder" | "filterBy" | "filterValue"> {
  /** `"@all"`: every field whose scope the token has. */
  fields?: readonly PersonField[] | "@all" | undefined;
  /** Entries of each request, up to 1000; default 100. */
  count?: number | undefined;
  /** {@link List.cursor} of an earlier list. */
  cursor?: string | undefined;
}

type FieldOptions = Pick<FriendsOptions, "fields" | keyof CallOptions>;

interface People<T> {
  entry: T;
  startIndex: number;
  totalResults: number;
}

export class PeopleApi {
  readonly #connection: Connection;

  constructor(server: string | URL | Connection, options?: Options) {
    this.#connection = connect(server, options);
  }

  /** Read the user of the token. */
  me(options?: FieldOptions): Promise<Person> {
    return this.get("@me", options);
  }

  /** Read oneself or a friend. */
  async get(id: string, options: FieldOptions = {}): Promise<Person> {
    return (await this.#read<Person>(`${encodeURIComponent(id)}/@self`, options)).entry;
  }

  /** List the friends. */
  friends(options: FriendsOptions = {}): List<Person> {
    const { cursor, count = 100, ...rest } = options;
    const read = async (from = "0") => {
      const { entry, startIndex, totalResults } = await this.#read<Person[]>("@me/@friends", {
        ...rest,
        count,
        startIndex: Number(from),
      });
      const end = startIndex + entry.length;
      return { entry, next: entry.length && end < totalResults ? String(end) : undefined, total: totalResults };
    };
    return new List(read, ({ id }) => id, cursor);
  }

  async #read<T>(path: string, options: CallOptions & { [parameter: string]: unknown }): Promise<People<T>> {
    const { signal, budget, ...query } = options;
    return (await this.#connection.send<People<T>>("GET", `/2/people/${path}`, { query, signal, budget, member: "entry" }))
      .data;
  }
}
