/** Everything that the client throws, except for the reason of an aborted signal. */

/** The parts of a failure. */
export interface Failure {
  status?: number;
  error: string;
  description: string;
  requestId?: string | undefined;
  retryAfter?: number | undefined;
  cause?: unknown;
}

/** A failed request. Each documented word has a subclass of its name, such as {@link ParameterInvalid}. */
export class EngawaError extends Error {
  /** The HTTP status; 0 if there was no answer. */
  declare readonly status: number;
  /** The documented word, such as `parameter_invalid`. */
  declare readonly error: string;
  /** A sentence for developers. */
  declare readonly description: string;
  /** The header `X-Request-Id`, which the operator can find in the logs. */
  declare readonly requestId: string | undefined;
  /** Seconds after which the request may be sent again. */
  declare readonly retryAfter: number | undefined;
  /** Whether the request may have been carried out nevertheless: an attempt got no answer, or a 5xx. */
  uncertain = false;

  constructor(failure: Failure) {
    super(failure.description);
    Object.assign(this, { status: 0 }, failure);
    this.name = failure.error.replace(/(?:^|_)(.)/g, (_, letter: string) => letter.toUpperCase());
  }
}

/** The class of one word; `error` is that word. */
export type Kind<Word extends string> = {
  new (failure: Failure): EngawaError & { readonly error: Word };
  readonly prototype: EngawaError & { readonly error: Word };
};

const kinds = new Map<string, typeof EngawaError>();

/** Make the class of a word. A class that a bundle does not import is not in it; its failures are EngawaError. */
export function kind<Word extends string>(word: Word): Kind<Word> {
  const made = class extends EngawaError {};
  kinds.set(word, made);
  return made as unknown as Kind<Word>;
}

/** Return the error of a failure, in the class of its word. */
export function failed(failure: Failure): EngawaError {
  return new (kinds.get(failure.error) ?? EngawaError)(failure);
}
