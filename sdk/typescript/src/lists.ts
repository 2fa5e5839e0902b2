/** Lists that are read part by part, and resumed where they ended. */

/** One part of a list, and the position of the next one. */
export interface Part<T> {
  entry: T[];
  next: string | undefined;
  total: number;
}

/**
 * A list: `for await (const each of list)`.
 *
 * {@link List.cursor} is the position behind the entry that came last; a list that is made with this cursor continues
 * there. If that entry is deleted meanwhile, its whole part comes again: an entry may come twice, none is left out.
 */
export class List<T> implements AsyncIterable<T> {
  readonly #read: (cursor: string | undefined) => Promise<Part<T>>;
  readonly #key: (entry: T) => string;
  #cursor: string | undefined;
  #total: number | undefined;

  constructor(read: (cursor: string | undefined) => Promise<Part<T>>, key: (entry: T) => string, cursor?: string) {
    this.#read = read;
    this.#key = key;
    this.#cursor = cursor;
  }

  /** The position behind the last entry; undefined before the first one, and at the end of the list. */
  get cursor(): string | undefined {
    return this.#cursor;
  }

  /** The entries of the whole list; undefined until its first part is read. */
  get total(): number | undefined {
    return this.#total;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    let position: string | undefined = this.#cursor ?? " ";
    while (position !== undefined) {
      // A position is the key of the last entry, a space, and the server's cursor of that entry's part.
      const space = position.indexOf(" ");
      const last = position.slice(0, Math.max(space, 0));
      const cursor = position.slice(space + 1);
      const { entry, next, total } = await this.#read(cursor || undefined);
      this.#total = total;
      const found = last ? entry.findIndex((each) => this.#key(each) === last) : -1;
      for (const each of entry.slice(found + 1)) {
        this.#cursor = `${this.#key(each)} ${cursor}`;
        yield each;
      }
      position = this.#cursor = next && ` ${next}`;
    }
  }

  /** Read the rest of the list. */
  async all(): Promise<T[]> {
    const entries: T[] = [];
    for await (const each of this) entries.push(each);
    return entries;
  }
}
