/**
 * Types of opensocial.js: the module's exports, and the globals of the classic script.
 */

type Values<T> = T[keyof T];
type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

export interface Configuration {
  /**
   * An access token, or a function that returns one, or a promise of one. It is called before each batch. If the server
   * answers 401, it is called once more, with the refused token. Without a token nothing is sent.
   */
  token?: string | null | ((refused?: string) => string | Promise<string>);
  /** The server's URL. Default: the script tag's `data-base-url`, else the URL that the script was loaded from. */
  baseUrl?: string;
  /** The value of `getEnvironment().getDomain()`; `"mixi.jp"` by default. */
  domain?: string;
}

export interface DataRequestOptions {
  /** HTML_ESCAPE by default. */
  escapeType?: Values<typeof opensocial.EscapeType>;
}

export interface PeopleRequestOptions extends DataRequestOptions {
  profileDetail?: readonly PersonField[] | PersonField;
  sortOrder?: Values<typeof opensocial.DataRequest.SortOrder>;
  filter?: Values<typeof opensocial.DataRequest.FilterType> | (string & {});
  filterOptions?: { value: string } | string;
  first?: number;
  max?: number;
}

export interface IdSpecFields {
  userId?: UserId | readonly UserId[];
  groupId?: Values<typeof opensocial.IdSpec.GroupId> | "@self" | "@friends" | (string & {});
  networkDistance?: number;
}

/** VIEWER, OWNER, or a user's id. */
export type UserId = "VIEWER" | "OWNER" | (string & {});
export type PersonField = Values<typeof opensocial.Person.Field> | (string & {});
export type ErrorCode = Values<typeof opensocial.ResponseItem.Error>;

/** Stored values of people: by user id, and then by key. */
export type AppData = { [userId: string]: { [key: string]: string } };

/** A request of a DataRequest; `Data` is the type that its `getData()` returns. */
export interface BaseDataRequest<Data = unknown> {
  readonly method: string;
  readonly params: object;
  readonly read?: (result: any) => Data;
}

/** The result of a change: whether it had an error, and which. */
export interface Outcome {
  hadError(): boolean;
  getErrorCode(): ErrorCode | null;
  getErrorMessage(): string | null;
}

export declare namespace opensocial {
  /** Set the connection settings; omitted options do not change. */
  function configure(options: Configuration): void;
  function newDataRequest(): DataRequest;
  function newIdSpec(fields: IdSpecFields | { [name: string]: unknown }): IdSpec;
  function getEnvironment(): Environment;

  const EscapeType: { readonly HTML_ESCAPE: "htmlEscape"; readonly NONE: "none" };

  class IdSpec {
    static readonly Field: {
      readonly USER_ID: "userId";
      readonly GROUP_ID: "groupId";
      readonly NETWORK_DISTANCE: "networkDistance";
    };
    static readonly PersonId: { readonly OWNER: "OWNER"; readonly VIEWER: "VIEWER" };
    static readonly GroupId: { readonly SELF: "SELF"; readonly FRIENDS: "FRIENDS"; readonly ALL: "ALL" };
    constructor(fields: IdSpecFields);
    getField(name: string): any;
    setField(name: string, value: unknown): void;
  }

  /** Requests that are sent together and run in the order in which they were added. */
  class DataRequest {
    static readonly PeopleRequestFields: {
      readonly PROFILE_DETAILS: "profileDetail";
      readonly SORT_ORDER: "sortOrder";
      readonly FILTER: "filter";
      readonly FILTER_OPTIONS: "filterOptions";
      readonly FIRST: "first";
      readonly MAX: "max";
    };
    static readonly DataRequestFields: { readonly ESCAPE_TYPE: "escapeType" };
    static readonly SortOrder: { readonly TOP_FRIENDS: "topFriends"; readonly NAME: "name" };
    static readonly FilterType: {
      readonly ALL: "all";
      readonly HAS_APP: "hasApp";
      readonly TOP_FRIENDS: "topFriends";
      readonly IS_FRIENDS_WITH: "isFriendsWith";
    };

    add(request: BaseDataRequest, key?: string): void;
    /** The callback is always called exactly once, after `send` has returned. */
    send(callback?: (data: DataResponse) => void): void;

    newFetchPersonRequest(id: UserId, options?: PeopleRequestOptions): BaseDataRequest<Person>;
    newFetchPeopleRequest(
      idSpec: IdSpec | IdSpecFields | UserId,
      options?: PeopleRequestOptions
    ): BaseDataRequest<Collection<Person>>;
    /** `keys`: names, one name, or `"*"` for all. */
    newFetchPersonAppDataRequest(
      idSpec: IdSpec | IdSpecFields | UserId,
      keys: readonly string[] | string,
      options?: DataRequestOptions
    ): BaseDataRequest<AppData>;
    newUpdatePersonAppDataRequest(id: UserId, key: string, value: string): BaseDataRequest<Outcome>;
    /** As of OpenSocial 0.9. */
    newUpdatePersonAppDataRequest(key: string, value: string): BaseDataRequest<Outcome>;
    /** `keys`: names, one name, or `"*"` for all; no name is a bad request. */
    newRemovePersonAppDataRequest(id: UserId, keys: readonly string[] | string): BaseDataRequest<Outcome>;
    /** As of OpenSocial 0.9. */
    newRemovePersonAppDataRequest(keys: readonly string[] | string): BaseDataRequest<Outcome>;
  }

  class DataResponse {
    /** Return whether the whole batch or any request in it failed. */
    hadError(): boolean;
    /** Return the error message of the batch, else that of its first failed request, or null if there was no error. */
    getErrorMessage(): string | null;
    /** Return the response to the request with this key; every request has one, even after a failure. */
    get<Data = any>(key: string): ResponseItem<Data>;
  }

  class ResponseItem<Data = any> implements Outcome {
    static readonly Error: {
      readonly NOT_IMPLEMENTED: "notImplemented";
      readonly UNAUTHORIZED: "unauthorized";
      readonly FORBIDDEN: "forbidden";
      readonly BAD_REQUEST: "badRequest";
      readonly INTERNAL_ERROR: "internalError";
      readonly LIMIT_EXCEEDED: "limitExceeded";
    };
    hadError(): boolean;
    getErrorCode(): ErrorCode | null;
    getErrorMessage(): string | null;
    /** Return the requested data, or null if there was an error. For updates and removals: an Outcome. */
    getData(): Data;
    getOriginalDataRequest(): BaseDataRequest<Data>;
  }

  class Name {
    static readonly Field: {
      readonly FAMILY_NAME: "familyName";
      readonly GIVEN_NAME: "givenName";
      readonly ADDITIONAL_NAME: "additionalName";
      readonly HONORIFIC_PREFIX: "honorificPrefix";
      readonly HONORIFIC_SUFFIX: "honorificSuffix";
      readonly UNSTRUCTURED: "unstructured";
    };
    getField(name: string, options?: DataRequestOptions): string | undefined;
  }

  class Address {
    static readonly Field: {
      readonly COUNTRY: "country";
      readonly REGION: "region";
      readonly LOCALITY: "locality";
      readonly POSTAL_CODE: "postalCode";
      readonly STREET_ADDRESS: "streetAddress";
      readonly UNSTRUCTURED_ADDRESS: "unstructuredAddress";
    };
    getField(name: string, options?: DataRequestOptions): string | undefined;
  }

  class Enum {
    static readonly Gender: { readonly FEMALE: "FEMALE"; readonly MALE: "MALE" };
    getKey(): string;
    getDisplayValue(): string;
  }

  class Person {
    static readonly Field: {
      readonly ID: "id";
      readonly NAME: "name";
      readonly NICKNAME: "nickname";
      readonly DISPLAY_NAME: "displayName";
      readonly THUMBNAIL_URL: "thumbnailUrl";
      readonly PROFILE_URL: "profileUrl";
      readonly CURRENT_LOCATION: "currentLocation";
      readonly ADDRESSES: "addresses";
      readonly EMAILS: "emails";
      readonly PHONE_NUMBERS: "phoneNumbers";
      readonly ABOUT_ME: "aboutMe";
      readonly STATUS: "status";
      readonly PROFILE_SONG: "profileSong";
      readonly PROFILE_VIDEO: "profileVideo";
      readonly GENDER: "gender";
      readonly SEXUAL_ORIENTATION: "sexualOrientation";
      readonly RELATIONSHIP_STATUS: "relationshipStatus";
      readonly AGE: "age";
      readonly DATE_OF_BIRTH: "dateOfBirth";
      readonly BODY_TYPE: "bodyType";
      readonly ETHNICITY: "ethnicity";
      readonly SMOKER: "smoker";
      readonly DRINKER: "drinker";
      readonly CHILDREN: "children";
      readonly PETS: "pets";
      readonly LIVING_ARRANGEMENT: "livingArrangement";
      readonly TIME_ZONE: "timeZone";
      readonly LANGUAGES_SPOKEN: "languagesSpoken";
      readonly JOBS: "jobs";
      readonly JOB_INTERESTS: "jobInterests";
      readonly SCHOOLS: "schools";
      readonly INTERESTS: "interests";
      readonly URLS: "urls";
      readonly MUSIC: "music";
      readonly MOVIES: "movies";
      readonly TV_SHOWS: "tvShows";
      readonly BOOKS: "books";
      readonly ACTIVITIES: "activities";
      readonly SPORTS: "sports";
      readonly HEROES: "heroes";
      readonly QUOTES: "quotes";
      readonly CARS: "cars";
      readonly FOOD: "food";
      readonly TURN_ONS: "turnOns";
      readonly TURN_OFFS: "turnOffs";
      readonly TAGS: "tags";
      readonly ROMANCE: "romance";
      readonly SCARED_OF: "scaredOf";
      readonly HAPPIEST_WHEN: "happiestWhen";
      readonly FASHION: "fashion";
      readonly HUMOR: "humor";
      readonly LOOKING_FOR: "lookingFor";
      readonly RELIGION: "religion";
      readonly POLITICAL_VIEWS: "politicalViews";
      readonly HAS_APP: "hasApp";
      readonly NETWORK_PRESENCE: "networkPresence";
      readonly BLOOD_TYPE: "bloodType";
    };
    getId(): string;
    getDisplayName(): string;
    getField(name: "name", options?: DataRequestOptions): Name | undefined;
    getField(name: "gender", options?: DataRequestOptions): Enum | undefined;
    getField(name: "dateOfBirth", options?: DataRequestOptions): Date | undefined;
    getField(name: "currentLocation", options?: DataRequestOptions): Address | undefined;
    getField(name: "addresses", options?: DataRequestOptions): Address[] | undefined;
    getField(name: PersonField, options?: DataRequestOptions): any;
    isViewer(): boolean;
    isOwner(): boolean;
  }

  class Collection<Item = Person> {
    asArray(): Item[];
    each(visit: (item: Item) => void): void;
    getById(id: string): Item | null;
    size(): number;
    getOffset(): number;
    getTotalSize(): number;
  }

  class Environment {
    static readonly ObjectType: {
      readonly PERSON: "person";
      readonly ADDRESS: "address";
      readonly BODY_TYPE: "bodyType";
      readonly EMAIL: "email";
      readonly NAME: "name";
      readonly ORGANIZATION: "organization";
      readonly PHONE: "phone";
      readonly URL: "url";
      readonly ACTIVITY: "activity";
      readonly MEDIA_ITEM: "mediaItem";
      readonly MESSAGE: "message";
      readonly MESSAGE_TYPE: "messageType";
      readonly SORT_ORDER: "sortOrder";
      readonly FILTER_TYPE: "filterType";
    };
    getDomain(): string;
    supportsField(objectType: string, fieldName: string): boolean;
  }
}

export interface OsapiError {
  error: { code: number; message: string; data?: Json };
}

/** The answer to a request: check `error` first. */
export type OsapiAnswer<Result> = (Result & { error?: undefined }) | OsapiError;

export interface OsapiRequest<Result> {
  execute(callback?: (answer: OsapiAnswer<Result>) => void): void;
}

export interface OsapiBatch<Results extends object = {}> {
  add<Key extends string, Result>(
    key: Key,
    request: OsapiRequest<Result>
  ): OsapiBatch<Results & { [each in Key]: OsapiAnswer<Result> }>;
  /** `error` is present if the whole batch failed; then each key has it, too. */
  execute(callback?: (answers: Results & Partial<OsapiError>) => void): void;
}

/** `@viewer`, `@owner`, `@me`, or a user's id. */
export type OsapiUser = "@viewer" | "@owner" | "@me" | (string & {});

export interface OsapiSelection {
  userId?: OsapiUser | readonly OsapiUser[];
  groupId?: "@self" | "@friends" | (string & {});
}

export interface OsapiKeys {
  appId?: string;
  /** Names of keys; all keys if both this and `fields` are absent. */
  keys?: readonly string[] | string;
  fields?: readonly string[] | string;
}

export type OsapiDeletion = { appId?: string } & (
  | { keys: readonly string[] | string; fields?: undefined }
  | { fields: readonly string[] | string; keys?: undefined }
);

export interface OsapiPeopleOptions {
  fields?: readonly string[] | string;
  startIndex?: number;
  count?: number;
  sortBy?: string;
  sortOrder?: "ascending" | "descending";
  filterBy?: string;
  filterValue?: string;
}

export interface OsapiPerson {
  id: string;
  displayName?: string;
  /** Present without `fields`, or if they contain `name`. */
  name?: { formatted: string; unstructured: string };
  thumbnailUrl?: string;
  profileUrl?: string;
  [field: string]: any;
}

export interface OsapiPeople {
  list: OsapiPerson[];
  startIndex: number;
  itemsPerPage: number;
  totalResults: number;
}

/** One operation on a key. Numbers are whole, of up to 18 digits, as strings. */
export type Change = (
  | { set: string }
  | { delete: true }
  | { add: string; atLeast?: string; atMost?: string }
  | { max: string }
  | { min: string }
  | { append: string; last?: number }
) & {
  /** The value that the key must have; null: it must be absent. */
  if?: string | null;
};

/** A ranking of `@friends` by the values of a key. */
export interface OsapiRankingOptions {
  sortBy: string;
  sortOrder?: "ascending" | "descending";
  includeSelf?: boolean;
  startIndex?: number;
  count?: number;
}

export interface OsapiRank {
  id: string;
  /** From 1; equal values share a rank. */
  rank: number;
  data: { [key: string]: string };
}

export interface OsapiRanking {
  list: OsapiRank[];
  /** The own entry, with `includeSelf` and if there is one. */
  self?: OsapiRank;
  startIndex: number;
  itemsPerPage: number;
  totalResults: number;
}

export declare const osapi: {
  newBatch(): OsapiBatch;
  appdata: {
    /** Values are HTML-escaped unless `escapeType` is NONE. */
    get(options: OsapiSelection & OsapiKeys & DataRequestOptions & OsapiRankingOptions): OsapiRequest<OsapiRanking>;
    get(options?: OsapiSelection & OsapiKeys & DataRequestOptions): OsapiRequest<AppData>;
    update(options: OsapiSelection & OsapiKeys & { data: { [key: string]: string } }): OsapiRequest<object>;
    /** Atomic changes: all or none. Returns the new values, HTML-escaped unless `escapeType` is NONE. */
    patch(options: OsapiSelection & DataRequestOptions & { changes: { [key: string]: Change } }): OsapiRequest<AppData>;
    /** `"*"` deletes every key; no keys are a bad request. */
    delete(options: OsapiSelection & OsapiDeletion): OsapiRequest<object>;
  };
  people: {
    get(options?: OsapiSelection & OsapiPeopleOptions): OsapiRequest<OsapiPerson | OsapiPeople>;
    getViewer(options?: OsapiPeopleOptions): OsapiRequest<OsapiPerson>;
    getOwner(options?: OsapiPeopleOptions): OsapiRequest<OsapiPerson>;
    getViewerFriends(options?: OsapiPeopleOptions): OsapiRequest<OsapiPeople>;
    getOwnerFriends(options?: OsapiPeopleOptions): OsapiRequest<OsapiPeople>;
  };
};

/** Functions that old apps also use. */
export declare const gadgets: {
  json: { parse(text: string): any; stringify(value: unknown): string };
  util: {
    escapeString(text: string): string;
    unescapeString(text: string): string;
    registerOnLoadHandler(handler: () => void): void;
  };
};

type Library = { opensocial: typeof opensocial; osapi: typeof osapi; gadgets: typeof gadgets };

declare global {
  // The globals of the classic script.
  var opensocial: Library["opensocial"];
  var osapi: Library["osapi"];
  var gadgets: Library["gadgets"];
}
