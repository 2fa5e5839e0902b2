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

export interface Fields {
  [name: string]: unknown;
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
  /** Return whether there is a token. */
  function hasPermission(permission: string): boolean;

  function newActivity(fields: Fields): Activity;
  function newMediaItem(mimeType: string, url: string, fields?: Fields): MediaItem;
  function newMessage(body: string, fields?: Fields): Message;
  function newNavigationParameters(fields: Fields): NavigationParameters;
  function newPayment(fields: Fields): Payment;

  /** NOT_IMPLEMENTED, like all of `request…`: the callback gets an error. */
  function requestCreateActivity(activity: Activity, priority: string, callback?: (item: ResponseItem) => void): void;
  /** NOT_IMPLEMENTED */
  function requestPayment(payment: Payment, callback?: (item: ResponseItem) => void): void;
  /** NOT_IMPLEMENTED */
  function requestPayment(payment: Payment, callbackUrl: string, callback?: (item: ResponseItem) => void): void;
  /** NOT_IMPLEMENTED */
  function requestPermission(
    permissions: readonly string[],
    reason?: string | null,
    callback?: (item: ResponseItem) => void
  ): void;
  /** NOT_IMPLEMENTED */
  function requestSendMessage(
    recipients: readonly string[] | string,
    message: Message,
    callback?: (item: ResponseItem) => void,
    parameters?: NavigationParameters
  ): void;
  /** NOT_IMPLEMENTED */
  function requestShareApp(
    recipients: IdSpec | readonly string[] | string,
    reason?: Message | null,
    callback?: (item: ResponseItem) => void,
    parameters?: NavigationParameters | Fields
  ): void;

  const CreateActivityPriority: { readonly HIGH: "HIGH"; readonly LOW: "LOW" };
  const Permission: { readonly VIEWER: "viewer" };

  /** An object whose fields are set by the app. */
  class Settable {
    constructor(fields?: Fields);
    getField(name: string): any;
    setField(name: string, value: unknown): void;
  }

  class Activity extends Settable {
    static readonly Field: {
      readonly BODY: "body";
      readonly BODY_ID: "bodyId";
      readonly EXTERNAL_ID: "externalId";
      readonly MEDIA_ITEMS: "mediaItems";
      readonly PRIORITY: "priority";
      readonly TEMPLATE_PARAMS: "templateParams";
      readonly TITLE: "title";
      readonly TITLE_ID: "titleId";
      readonly URL: "url";
    };
  }

  class MediaItem extends Settable {
    static readonly Field: { readonly MIME_TYPE: "mimeType"; readonly TYPE: "type"; readonly URL: "url" };
    static readonly Type: { readonly AUDIO: "audio"; readonly IMAGE: "image"; readonly VIDEO: "video" };
  }

  class Message extends Settable {
    static readonly Field: {
      readonly BODY: "body";
      readonly BODY_ID: "bodyId";
      readonly TITLE: "title";
      readonly TITLE_ID: "titleId";
      readonly TYPE: "type";
    };
    static readonly Type: {
      readonly EMAIL: "email";
      readonly NOTIFICATION: "notification";
      readonly PRIVATE_MESSAGE: "privateMessage";
      readonly PUBLIC_MESSAGE: "publicMessage";
    };
  }

  class NavigationParameters extends Settable {
    static readonly Field: { readonly OWNER: "owner"; readonly PARAMETERS: "parameters"; readonly VIEW: "view" };
    static readonly DestinationType: {
      readonly RECIPIENT_DESTINATION: "recipientDestination";
      readonly VIEWER_DESTINATION: "viewerDestination";
    };
  }

  class Payment extends Settable {
    static readonly Field: {
      readonly AMOUNT: "amount";
      readonly ITEMS: "items";
      readonly MESSAGE: "message";
      readonly PAYMENT_TYPE: "paymentType";
    };
    static readonly PaymentType: { readonly CREDIT: "credit"; readonly PAYMENT: "payment" };
    static readonly ResponseCode: {
      readonly NOT_IMPLEMENTED: "notImplemented";
      readonly OK: "ok";
      readonly USER_CANCELLED: "userCancelled";
    };
  }

  const EscapeType: { readonly HTML_ESCAPE: "htmlEscape"; readonly NONE: "none" };

  class IdSpec extends Settable {
    static readonly Field: {
      readonly USER_ID: "userId";
      readonly GROUP_ID: "groupId";
      readonly NETWORK_DISTANCE: "networkDistance";
    };
    static readonly PersonId: { readonly OWNER: "OWNER"; readonly VIEWER: "VIEWER" };
    static readonly GroupId: { readonly SELF: "SELF"; readonly FRIENDS: "FRIENDS"; readonly ALL: "ALL" };
    constructor(fields: IdSpecFields);
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
    static readonly ActivityRequestFields: { readonly APP_ID: "appId" };

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

    /** NOT_IMPLEMENTED: not sent; its response has an error. */
    newFetchActivitiesRequest(idSpec: IdSpec | IdSpecFields | UserId, options?: Fields): BaseDataRequest<null>;
    /** NOT_IMPLEMENTED */
    newFetchAlbumsRequest(idSpec: IdSpec | IdSpecFields | UserId, options?: Fields): BaseDataRequest<null>;
    /** NOT_IMPLEMENTED */
    newFetchMediaItemsRequest(
      idSpec: IdSpec | IdSpecFields | UserId,
      albumId?: string,
      options?: Fields
    ): BaseDataRequest<null>;
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
  activities: { create: OsapiAbsent; get: OsapiAbsent };
  albums: { get: OsapiAbsent };
  http: { delete: OsapiAbsent; get: OsapiAbsent; head: OsapiAbsent; post: OsapiAbsent; put: OsapiAbsent };
  mediaItems: { create: OsapiAbsent; get: OsapiAbsent };
  messages: { get: OsapiAbsent; send: OsapiAbsent };
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

/** NOT_IMPLEMENTED: not sent; its answer is `{error: {code: 501, message}}`. */
export type OsapiAbsent = (options?: Fields) => OsapiRequest<never>;

/** The answer of `gadgets.io.makeRequest`. */
export interface GadgetsResponse {
  data: null;
  text: string;
  rc: number;
  errors: string[];
}

export interface GadgetsView {
  getName(): string;
  isOnlyVisibleGadget(): boolean;
}

/** What old apps use beside `opensocial`. What is absent throws NOT_IMPLEMENTED, and has the type `never`. */
export declare const gadgets: {
  flash: {
    embedCachedFlash(...given: unknown[]): never;
    embedFlash(...given: unknown[]): never;
    getMajorVersion(): never;
  };
  io: {
    encodeValues(fields: { [name: string]: string }): string;
    /** There is no proxy: this is the URL itself, without signs of HTML; empty if it is not http(s). */
    getProxyUrl(url: string, options?: Fields): string;
    /** NOT_IMPLEMENTED: the callback gets an error. */
    makeRequest(url: string, callback?: (response: GadgetsResponse) => void, options?: Fields): void;
    AuthorizationType: { readonly NONE: "NONE"; readonly OAUTH: "OAUTH"; readonly SIGNED: "SIGNED" };
    ContentType: { readonly DOM: "DOM"; readonly FEED: "FEED"; readonly JSON: "JSON"; readonly TEXT: "TEXT" };
    MethodType: {
      readonly DELETE: "DELETE";
      readonly GET: "GET";
      readonly HEAD: "HEAD";
      readonly POST: "POST";
      readonly PUT: "PUT";
    };
    ProxyUrlRequestParameters: { readonly REFRESH_INTERVAL: "REFRESH_INTERVAL" };
    RequestParameters: {
      readonly AUTHORIZATION: "AUTHORIZATION";
      readonly CONTENT_TYPE: "CONTENT_TYPE";
      readonly GET_SUMMARIES: "GET_SUMMARIES";
      readonly HEADERS: "HEADERS";
      readonly METHOD: "METHOD";
      readonly NUM_ENTRIES: "NUM_ENTRIES";
      readonly POST_DATA: "POST_DATA";
    };
  };
  json: { parse(text: string): any; stringify(value: unknown): string };
  MiniMessage: new (...given: unknown[]) => never;
  Prefs: new (...given: unknown[]) => never;
  pubsub: { publish(...given: unknown[]): never; subscribe(...given: unknown[]): never };
  rpc: { call(...given: unknown[]): never; register(...given: unknown[]): never };
  skins: {
    getProperty(name: string): never;
    Property: {
      readonly ANCHOR_COLOR: "ANCHOR_COLOR";
      readonly BG_COLOR: "BG_COLOR";
      readonly BG_IMAGE: "BG_IMAGE";
      readonly FONT_COLOR: "FONT_COLOR";
    };
  };
  TabSet: new (...given: unknown[]) => never;
  util: {
    escapeString(text: string): string;
    getFeatureParameters(name: string): null;
    /** Return the parameters in the page's query and fragment. */
    getUrlParameters(): { [name: string]: string };
    hasFeature(name: string): boolean;
    registerOnLoadHandler(handler: () => void): void;
    /** Return the text escaped, without any tag. */
    sanitizeHtml(text: string): string;
    unescapeString(text: string): string;
  };
  views: {
    bind(...given: unknown[]): never;
    /** Always the canvas. */
    getCurrentView(): GadgetsView;
    /** Return `appParams` of the page's address. */
    getParams(): { [name: string]: any };
    getSupportedViews(): { [name: string]: GadgetsView };
    requestNavigateTo(...given: unknown[]): never;
    ViewType: {
      readonly CANVAS: "CANVAS";
      readonly HOME: "HOME";
      readonly PREVIEW: "PREVIEW";
      readonly PROFILE: "PROFILE";
    };
  };
  window: {
    /** The page has its own window: nothing has to be done. */
    adjustHeight(height?: number): void;
    getViewportDimensions(): { width: number; height: number };
    setTitle(title: string): void;
  };
};

/** What mixi added. */
export declare const mixi: {
  init(options: { appId: string; relayUrl?: string }): void;
  /** Ask the user for scopes: the browser goes to the server and returns to the app's redirect URI. */
  auth(options: { scope: string; state?: string; server_state?: string }): void;
  /** NOT_IMPLEMENTED: the callback gets an error. */
  requestUpdateStatus(status: string, callback?: (item: opensocial.ResponseItem) => void, options?: Fields): void;
  /** NOT_IMPLEMENTED: the callback gets an error. */
  requestUploadMediaItem(
    mediaItem: opensocial.MediaItem,
    callback?: (item: opensocial.ResponseItem) => void,
    options?: Fields
  ): void;
  ActivityField: { readonly RECIPIENTS: "recipients" };
  Payment: {
    Field: {
      readonly INVENTORY_CODE: "inventoryCode";
      readonly IS_TEST: "isTest";
      readonly ITEM_ID: "itemId";
      readonly ITEM_NAME: "itemName";
      readonly SIGNATURE: "signature";
    };
  };
  PersonField: { readonly BLOOD_TYPE: "bloodType" };
  Request: {
    Field: {
      readonly BODY: "body";
      readonly DESCRIPTION: "description";
      readonly FILTER_TYPE: "filterType";
      readonly IMAGE: "image";
      readonly MOBILE_URL: "mobileUrl";
      readonly TOUCH_URL: "touchUrl";
      readonly URL: "url";
    };
    FilterType: { readonly BOTH: "BOTH"; readonly JOINED_ONLY: "JOINED_ONLY" };
  };
  Status: { Field: { readonly MOBILE_URL: "mobileUrl"; readonly TOUCH_URL: "touchUrl"; readonly URL: "url" } };
  util: {
    /** Open a web site in a new window. */
    requestExternalNavigateTo(url: string, type?: string): void;
    ExternalSiteType: { readonly PAYMENT: "PAYMENT" };
  };
  window: {
    /** The page has its own window: nothing has to be done. */
    adjustHeight(height?: number): void;
    scrollTo(y?: number): void;
  };
};

type Library = { opensocial: typeof opensocial; osapi: typeof osapi; gadgets: typeof gadgets; mixi: typeof mixi };

declare global {
  // The globals of the classic script.
  var opensocial: Library["opensocial"];
  var osapi: Library["osapi"];
  var gadgets: Library["gadgets"];
  var mixi: Library["mixi"];
}
