/** The Page API: feeds with images, comments and favorites on the pages of shops, bands and events. */

import { type ApiRequest, type CallOptions, connect, type Connection, type Options, randomKey } from "./connection.js";
import type { components } from "./generated/schema.js";
import { List } from "./lists.js";

type Schemas = components["schemas"];
export type PageInformation = Schemas["PageInformation"]["entry"];
export type Feed = Schemas["Feed"];
export type Comment = Schemas["Comment"];

/** A jpeg or png: a path (not in browsers), or its bytes. */
export type Image = string | URL | Blob | ArrayBuffer | Uint8Array<ArrayBuffer>;

export interface NewFeed extends Omit<Schemas["NewFeed"], "imageUrls"> {
  image?: Image | undefined;
  /** Instead of `image`: the address of one image, which the server fetches. */
  imageUrls?: string[];
}

export interface PostOptions extends CallOptions {
  /** The `Idempotency-Key`, to repeat a post of an earlier process; absent: a new one for each call. */
  key?: string | undefined;
}

export interface ListOptions extends CallOptions {
  /** Entries of each request, up to 100; default 100. */
  count?: number | undefined;
  /** {@link List.cursor} of an earlier list. */
  cursor?: string | undefined;
}

interface ListAnswer<T> {
  entry: T[];
  totalResults: number;
  nextCursor?: string;
}

/** One page. A content, and so its feed, is named by its `contentUri`. */
export class PageApi {
  readonly id: string;
  readonly #connection: Connection;

  constructor(server: string | URL | Connection, id: string, options?: Options) {
    this.#connection = connect(server, options);
    this.id = id;
  }

  /** Read the page's information. */
  async get(options?: CallOptions): Promise<PageInformation> {
    return (await this.#send<{ entry: PageInformation }>("GET", "", { ...options, member: "entry" })).entry;
  }

  /** List the page's feeds, newest first. */
  feeds(options?: ListOptions): List<Feed> {
    return this.#list<Feed>("/feeds", ({ contentUri }) => contentUri, options);
  }

  /** Read the feed of one content. */
  async feed(contentUri: string, options?: CallOptions): Promise<Feed> {
    const request = { ...options, query: { contentUri }, member: "entry" };
    return (await this.#send<{ entry: Feed }>("GET", "/feeds", request)).entry;
  }

  /** Post a feed. Return its `contentUri`, which the server makes if there is none. */
  async postFeed(feed: NewFeed, options?: PostOptions): Promise<string> {
    const { image, ...json } = feed;
    let content: ApiRequest = { json };
    if (image !== undefined) {
      const body = new FormData();
      body.append("request", new Blob([JSON.stringify(json)], { type: "application/json" }));
      body.append("image1", await blobOf(image), "image");
      content = { body };
    }
    return (await this.#post<{ contentUri: string }>("/feeds", { ...content, member: "contentUri" }, options)).contentUri;
  }

  /** Delete a feed, with its comments and favorites. */
  async deleteFeed(contentUri: string, options?: CallOptions): Promise<void> {
    await this.#send("DELETE", "/feeds", { ...options, query: { contentUri } });
  }

  /** List the comments on a feed, newest first. */
  comments(contentUri: string, options?: ListOptions): List<Comment> {
    return this.#list<Comment>("/comments", ({ id }) => id, options, contentUri);
  }

  /** Comment on a feed. Return the comment's id. */
  async postComment(contentUri: string, comment: string, options?: PostOptions): Promise<string> {
    const request = { query: { contentUri }, json: { comment }, member: "id" };
    return (await this.#post<{ id: string }>("/comments", request, options)).id;
  }

  /** Delete a comment. */
  async deleteComment(contentUri: string, id: string, options?: CallOptions): Promise<void> {
    await this.#send("DELETE", `/comments/${encodeURIComponent(id)}`, { ...options, query: { contentUri } });
  }

  /** Count the favorites of a feed. */
  async favorites(contentUri: string, options?: CallOptions): Promise<number> {
    const request = { ...options, query: { contentUri }, member: "count" };
    return (await this.#send<{ count: number }>("GET", "/favorites", request)).count;
  }

  /** Make a feed one's favorite. Return the favorite's id, which stays the same. */
  async addFavorite(contentUri: string, options?: CallOptions): Promise<string> {
    return (await this.#send<{ id: string }>("POST", "/favorites", { ...options, query: { contentUri }, member: "id" })).id;
  }

  /** Remove one's own favorite. */
  async removeFavorite(contentUri: string, id: string, options?: CallOptions): Promise<void> {
    await this.#send("DELETE", `/favorites/${encodeURIComponent(id)}`, { ...options, query: { contentUri } });
  }

  #post<T>(path: string, request: ApiRequest, { key = randomKey(), ...call }: PostOptions = {}): Promise<T> {
    return this.#send<T>("POST", path, { ...request, ...call, headers: { "Idempotency-Key": key }, once: !key });
  }

  #list<T>(path: string, keyOf: (entry: T) => string, options: ListOptions = {}, contentUri?: string): List<T> {
    const { count = 100, cursor: start, ...call } = options;
    const read = async (cursor: string | undefined) => {
      const request = { ...call, query: { contentUri, count, cursor }, member: "entry" };
      const { entry, nextCursor, totalResults } = await this.#send<ListAnswer<T>>("GET", path, request);
      return { entry, next: nextCursor, total: totalResults };
    };
    return new List(read, keyOf, start);
  }

  async #send<T>(method: string, path: string, request: ApiRequest): Promise<T> {
    return (await this.#connection.send<T>(method, `/2/pages/${encodeURIComponent(this.id)}${path}`, request)).data;
  }
}

async function blobOf(image: Image): Promise<Blob> {
  if (image instanceof Blob) return image;
  if (typeof image !== "string" && !(image instanceof URL)) return new Blob([image]);
  // A variable, so that bundlers for browsers do not look for the module.
  const name = "node:fs/promises";
  const { readFile } = await import(/* @vite-ignore */ name);
  return new Blob([await readFile(image)]);
}
