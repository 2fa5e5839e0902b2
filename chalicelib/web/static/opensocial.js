/**
 * Information Sharing for pages: `opensocial.*` of OpenSocial 0.8, in which the calls of 0.9 and 1.1 work as well, and
 * the shorter `osapi.*`. Both speak JSON-RPC with the server that this text comes from.
 *
 *     <script src="https://social.example/js/opensocial.js" data-token="…"></script>
 *
 *     import { opensocial, osapi } from "https://social.example/js/opensocial.mjs";
 *     opensocial.configure({ token: () => freshToken() });
 *
 * The access token is, in this order: what `opensocial.configure` was given; the script tag's `data-token`; `st` in the
 * page's own address, in the fragment or in the query. Without a token nothing is sent. Types are in opensocial.d.ts.
 */
((here, publish) => {
  "use strict";

  // The server -------------------------------------------------------------------------------------------------------

  const parameter = (text) => new URLSearchParams(text).get("st");
  const page = globalThis.location;
  // A copy of this text, in a bundle or a blob, is told where the server is.
  const home = /^https?:/.test(here?.src ?? "") ? new URL("..", here.src).href : page?.origin;

  /** How the server is reached: see `opensocial.configure`. */
  const settings = {
    token: here?.dataset?.token || (page && (parameter(page.hash.slice(1)) || parameter(page.search))) || null,
    baseUrl: here?.dataset?.baseUrl || home || "",
    domain: "mixi.jp",
  };

  /**
   * Say how the server is reached; what is left out stays as it is.
   * @param {object} options
   * @param {string|function(string=): (string|Promise<string>)} [options.token] An access token, or a function that
   *     returns one, or a promise of one. It is called before each batch; and once more, with the token that was
   *     refused, where the server has answered 401: the batch is sent again if another token comes back.
   * @param {string} [options.baseUrl] Where the server is. Default: the script tag's `data-base-url`, else where this
   *     text was loaded from.
   * @param {string} [options.domain] What `opensocial.getEnvironment().getDomain()` says.
   */
  const configure = (options) => {
    for (const name of Object.keys(settings)) {
      if (options[name] !== undefined) settings[name] = options[name];
    }
  };

  /** Why a whole batch failed; `code` is HTTP's status or JSON-RPC's code, 0 where the server was not reached. */
  class Failure extends Error {
    constructor(code, message) {
      super(message);
      this.code = code;
    }
  }

  const ask = (token, body) => {
    // The page Information Sharing: "no authentication" is a bad request.
    if (!token) throw new Failure(400, "There is no access token");
    const headers = { "Content-Type": "application/json", Authorization: `Bearer ${token}` };
    const url = `${settings.baseUrl.replace(/\/+$/, "")}/rpc`;
    return fetch(url, { method: "POST", headers, body, credentials: "omit", cache: "no-store" });
  };

  const askWithFreshToken = async (body) => {
    if (typeof settings.token !== "function") return ask(settings.token, body);
    const token = await settings.token();
    const response = await ask(token, body);
    if (response.status !== 401) return response;
    // A batch that was answered 401 was not begun, so it can be sent again.
    const fresh = await settings.token(token);
    return fresh && fresh !== token ? ask(fresh, body) : response;
  };

  /**
   * Send calls (`method` and `params`) as one batch, which the server works off in this order.
   * @return {Promise<object[]>} For each call `{result}` or `{error: {code, message}}`. Rejects with a Failure.
   */
  const post = async (calls) => {
    const batch = calls.map(({ method, params }, index) => ({ method, id: String(index), params }));
    const response = await askWithFreshToken(JSON.stringify(batch));
    const answers = await response.json().catch(() => null);
    if (!Array.isArray(answers)) {
      const { error, error_description: description } = answers ?? {};
      const message = description ?? error?.message ?? `The server answered ${response.status}`;
      throw new Failure(error?.code ?? (response.ok ? 500 : response.status), message);
    }
    const byId = new Map(answers.map((answer) => [String(answer?.id), answer]));
    return batch.map(({ id }) => {
      const { error, result, data } = byId.get(id) ?? { error: { code: 500, message: "The server has not answered" } };
      return error ? { error } : { result: result ?? data ?? {} };
    });
  };

  const named = (value) => [value ?? []].flat().some(Boolean);

  /**
   * Why a call must not be sent: it names no user, or it deletes and names no key. To the server an empty list of keys
   * is every key, and a variable that happens to be empty must not clear everything; `"*"` does.
   */
  const wrong = ({ method, params }) => {
    if ("userId" in params && !named(params.userId)) return { code: 400, message: "No user is named" };
    if (method !== "appdata.delete" || named(params.fields)) return undefined;
    return { code: 400, message: "No keys are named" };
  };

  /** Run calls and then call `done`, never before this returns, with their answers or with a Failure. */
  const run = (calls, done) => {
    // What is known to be wrong is not sent.
    const wrongs = calls.map(wrong);
    const sent = calls.filter((_, index) => !wrongs[index]);
    const together = (answers) => wrongs.map((error) => (error ? { error } : answers.shift()));
    (async () => (sent.length ? post(sent) : []))().then(together).catch((failure) => {
      return failure instanceof Failure ? failure : new Failure(0, String(failure?.message ?? failure));
    }).then((outcome) => {
      // Out of the promise, so that what a callback throws is an error of the page, as ever.
      setTimeout(() => done(outcome));
    });
  };

  // Escaping ---------------------------------------------------------------------------------------------------------

  /** How values come: `HTML_ESCAPE`, the default, or as they were stored. */
  const EscapeType = { HTML_ESCAPE: "htmlEscape", NONE: "none" };

  const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  const CHARACTERS = { amp: "&", lt: "<", gt: ">", quot: '"' };

  const escapeString = (text) => String(text).replace(/[&<>"']/g, (character) => ENTITIES[character]);
  const unescapeString = (text) => {
    return String(text).replace(/&(?:#(\d{1,6})|(amp|lt|gt|quot));/g, (_, number, name) => {
      return name ? CHARACTERS[name] : String.fromCodePoint(Number(number));
    });
  };

  /** The strings in a value, in arrays and plain objects too, escaped unless `type` is NONE. */
  const escaped = (value, type) => {
    if (type === EscapeType.NONE) return value;
    if (typeof value === "string") return escapeString(value);
    if (Array.isArray(value)) return value.map((each) => escaped(each, type));
    if (value === null || typeof value !== "object" || Object.getPrototypeOf(value) !== Object.prototype) return value;
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, escaped(each, type)]));
  };

  // People -----------------------------------------------------------------------------------------------------------

  /** `{DATE_OF_BIRTH: "dateOfBirth", …}` of the names that OpenSocial writes so. */
  const constants = (names) => {
    const spelled = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
    return Object.freeze(Object.fromEntries(names.split(" ").map((name) => [spelled(name), name])));
  };

  /** Something that has fields. */
  class Fielded {
    #fields;
    #escapeType;

    constructor(fields, escapeType) {
      this.#fields = fields;
      this.#escapeType = escapeType;
    }

    /**
     * The value of a field, HTML-escaped unless `options.escapeType`, or that of the request, is NONE.
     * @param {string} name One of `Field`.
     * @param {{escapeType?: string}} [options]
     * @return {*} undefined where there is none.
     */
    getField(name, options) {
      const value = Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined;
      return escaped(value, options?.escapeType ?? this.#escapeType);
    }
  }

  class Name extends Fielded {
    static Field = constants("familyName givenName additionalName honorificPrefix honorificSuffix unstructured");
  }

  class Address extends Fielded {
    static Field = constants("country region locality postalCode streetAddress unstructuredAddress");
  }

  /** One of a few words: its key, and what to show for it. */
  class Enum {
    static Gender = Object.freeze({ FEMALE: "FEMALE", MALE: "MALE" });
    #value;

    constructor(value) {
      this.#value = value;
    }

    getKey() {
      return this.#value.toUpperCase();
    }

    getDisplayValue() {
      return this.#value;
    }
  }

  /** The fields that OpenSocial 0.8 has and the server has under another name, and how they are made of that one. */
  const MADE = {
    name: ["displayName", (value, type) => new Name({ unstructured: value }, type)],
    nickname: ["displayName", (value) => value],
    gender: ["gender", (value) => new Enum(value)],
    dateOfBirth: ["birthday", (value) => new Date(value)],
    currentLocation: ["address", (value, type) => new Address({ unstructuredAddress: value }, type)],
    addresses: ["address", (value, type) => [new Address({ unstructuredAddress: value }, type)]],
  };

  /** A user, as far as the app may know. */
  class Person extends Fielded {
    static Field = constants(
      "id name nickname displayName thumbnailUrl profileUrl currentLocation addresses emails phoneNumbers aboutMe " +
        "status profileSong profileVideo gender sexualOrientation relationshipStatus age dateOfBirth bodyType " +
        "ethnicity smoker drinker children pets livingArrangement timeZone languagesSpoken jobs jobInterests " +
        "schools interests urls music movies tvShows books activities sports heroes quotes cars food turnOns " +
        "turnOffs tags romance scaredOf happiestWhen fashion humor lookingFor religion politicalViews hasApp " +
        "networkPresence bloodType"
    );

    constructor(entry, escapeType) {
      const made = Object.entries(MADE).filter(([, [source]]) => entry[source] !== undefined);
      const fields = made.map(([name, [source, make]]) => [name, make(entry[source], escapeType)]);
      super({ ...entry, ...Object.fromEntries(fields) }, escapeType);
    }

    getId() {
      return this.getField("id");
    }

    getDisplayName() {
      return this.getField("displayName");
    }

    isViewer() {
      return String(this.getField("isViewer")) === "true";
    }

    isOwner() {
      return String(this.getField("isOwner")) === "true";
    }
  }

  /** A part of a list: its items, where they begin in the whole, and how long that is. */
  class Collection {
    #items;
    #offset;
    #total;

    constructor(items, offset, total) {
      this.#items = items;
      this.#offset = offset ?? 0;
      this.#total = total ?? items.length;
    }

    asArray() {
      return this.#items;
    }

    each(visit) {
      this.#items.forEach((item) => visit(item));
    }

    getById(id) {
      return this.#items.find((item) => item.getId() === id) ?? null;
    }

    size() {
      return this.#items.length;
    }

    getOffset() {
      return this.#offset;
    }

    getTotalSize() {
      return this.#total;
    }
  }

  // Whom a request speaks of -----------------------------------------------------------------------------------------

  /** Users: `userId` is VIEWER, OWNER, an id or a list of these; `groupId` SELF (default) or FRIENDS. */
  class IdSpec {
    static Field = constants("userId groupId networkDistance");
    static PersonId = Object.freeze({ OWNER: "OWNER", VIEWER: "VIEWER" });
    static GroupId = Object.freeze({ SELF: "SELF", FRIENDS: "FRIENDS", ALL: "ALL" });
    #fields;

    constructor(fields) {
      this.#fields = { ...fields };
    }

    getField(name) {
      return this.#fields[name];
    }

    setField(name, value) {
      this.#fields[name] = value;
    }
  }

  const SELECTORS = {
    OWNER: "@owner",
    VIEWER: "@viewer",
    ME: "@me",
    SELF: "@self",
    FRIENDS: "@friends",
    ALL: "@all",
  };
  const selector = (word) => (Object.hasOwn(SELECTORS, word) ? SELECTORS[word] : word);

  /** The `userId` and `groupId` that an IdSpec means, or its fields, or a user's id, or a word like VIEWER_FRIENDS. */
  const whom = (spec) => {
    if (typeof spec === "string" || Array.isArray(spec)) {
      const [, user, friends] = /^(OWNER|VIEWER)(_FRIENDS)$/.exec(spec) ?? [null, spec];
      return whom({ userId: user, groupId: friends ? "FRIENDS" : "SELF" });
    }
    const field = (name) => (spec instanceof IdSpec ? spec.getField(name) : spec?.[name]);
    const users = [field("userId") ?? []].flat().map((user) => selector(user));
    const distance = field("networkDistance");
    return {
      userId: users,
      groupId: selector(field("groupId") || "SELF"),
      ...(distance === undefined ? {} : { networkDistance: distance }),
    };
  };

  // Requests and what comes of them ----------------------------------------------------------------------------------

  const ERRORS = "notImplemented unauthorized forbidden badRequest internalError limitExceeded";
  const CODES = { 400: 3, 401: 1, 403: 2, 404: 3, 405: 3, 413: 3, 415: 3, 417: 5, 429: 5, 501: 0 };
  // JSON-RPC's own: not JSON, not a request, no such method, wrong parameters.
  const RPC_CODES = { [-32700]: 3, [-32600]: 3, [-32601]: 0, [-32602]: 3 };

  /** The code of ResponseItem.Error that an error of the server stands for. */
  const errorCode = (code) => ERRORS.split(" ")[CODES[code] ?? RPC_CODES[code] ?? 4];

  /** What one request of a batch was answered. */
  class ResponseItem {
    static Error = constants(ERRORS);
    #request;
    #error;
    #data;

    constructor(request, answer) {
      this.#request = request;
      this.#error = answer.error ?? null;
      // What a change returns can itself be asked whether it had an error.
      this.#data = request.read ? (this.#error ? null : request.read(answer.result)) : this;
    }

    hadError() {
      return this.#error !== null;
    }

    /** One of `ResponseItem.Error`; null where there was no error. */
    getErrorCode() {
      return this.#error && errorCode(this.#error.code);
    }

    /** The server's sentence; null where there was no error. */
    getErrorMessage() {
      return this.#error && String(this.#error.message ?? "");
    }

    getOriginalDataRequest() {
      return this.#request;
    }

    /** What was asked for; null where there was an error. Of updates and removals: this item. */
    getData() {
      return this.#data;
    }
  }

  /** What a batch was answered, each item under the key that its request was added with. */
  class DataResponse {
    #items;
    #message;

    constructor(items, message) {
      this.#items = new Map(items.filter(([key]) => key !== undefined && key !== null));
      const first = items.map(([, item]) => item).find((item) => item.hadError());
      this.#message = message ?? (first ? first.getErrorMessage() : null);
    }

    /** Whether anything went wrong: with the whole batch, or with any request in it. */
    hadError() {
      return this.#message !== null;
    }

    /** Why the batch failed, else why its first request with an error did; null where there was none. */
    getErrorMessage() {
      return this.#message;
    }

    /** @return {ResponseItem|undefined} */
    get(key) {
      return this.#items.get(key);
    }
  }

  const SORTS = { name: "displayName" };

  /** The parameters of `people.get` that PeopleRequestFields mean. */
  const people = (spec, { profileDetail, sortOrder, filter, filterOptions, first, max }) => ({
    ...whom(spec),
    ...(profileDetail && {
      // These are always there, and isViewer() and isOwner() need theirs.
      fields: [
        ...new Set([
          ...["id", "displayName", "thumbnailUrl", "isViewer", "isOwner"],
          ...[profileDetail].flat().map((name) => (Object.hasOwn(MADE, name) ? MADE[name][0] : name)),
        ]),
      ],
    }),
    ...(sortOrder && sortOrder !== "topFriends" && { sortBy: SORTS[sortOrder] ?? sortOrder }),
    ...(filter && filter !== "all" && filter !== "topFriends" && { filterBy: filter }),
    ...(filter && filterOptions && { filterValue: filterOptions.value ?? filterOptions }),
    ...(first !== undefined && { startIndex: first }),
    ...(max !== undefined && { count: max }),
  });

  const entries = (result) => result.list ?? result.entry ?? [result];
  const appdata = (spec, more) => ({ ...whom(spec), appId: "@app", ...more });

  /** Requests that are sent together, and done in the order in which they were added. */
  class DataRequest {
    static PeopleRequestFields = Object.freeze({
      PROFILE_DETAILS: "profileDetail",
      ...constants("sortOrder filter filterOptions first max"),
    });
    static DataRequestFields = constants("escapeType");
    static SortOrder = constants("topFriends name");
    static FilterType = constants("all hasApp topFriends isFriendsWith");
    #requests = [];

    /**
     * Add a request that one of this object's `new…Request` has made; its answer is `get(key)` of the DataResponse.
     * @param {object} request
     * @param {string} [key]
     */
    add(request, key) {
      this.#requests.push([key, request]);
    }

    /** Send everything added as one batch. @param {function(DataResponse)} [callback] */
    send(callback) {
      const requests = [...this.#requests];
      run(requests.map(([, request]) => request), (outcome) => {
        const failed = outcome instanceof Failure;
        const items = requests.map(([key, request], index) => {
          return [key, new ResponseItem(request, failed ? { error: outcome } : outcome[index])];
        });
        callback?.(new DataResponse(items, failed ? outcome.message : null));
      });
    }

    /** A person: VIEWER, OWNER or an id. Data: a Person. */
    newFetchPersonRequest(id, options) {
      const read = (result) => new Person(entries(result)[0] ?? {}, options?.escapeType);
      return { method: "people.get", params: people(id, options ?? {}), read };
    }

    /** People. Data: a Collection of Person. */
    newFetchPeopleRequest(idSpec, options) {
      const read = (result) => {
        const found = entries(result).map((entry) => new Person(entry, options?.escapeType));
        return new Collection(found, result.startIndex, result.totalResults);
      };
      return { method: "people.get", params: people(idSpec, options ?? {}), read };
    }

    /**
     * Stored values of people.
     * @param {IdSpec} idSpec
     * @param {string[]|string} keys Names of keys, one, or "*" for all.
     * @param {{escapeType?: string}} [options] Values come HTML-escaped unless it is NONE.
     * @return {object} A request. Data: `{userId: {key: value}}`; friends who have none of the keys are absent.
     */
    newFetchPersonAppDataRequest(idSpec, keys, options) {
      const read = (result) => escaped(result, options?.escapeType);
      return { method: "appdata.get", params: appdata(idSpec, { fields: [keys ?? "*"].flat() }), read };
    }

    /**
     * Store a value of the viewer's: `(id, key, value)`, or `(key, value)` as of 0.9.
     * @param {string} id VIEWER, or the viewer's own id.
     * @param {string} key
     * @param {string} value
     */
    newUpdatePersonAppDataRequest(...given) {
      const [id, key, value] = given.length < 3 ? ["VIEWER", ...given] : given;
      return { method: "appdata.update", params: appdata(id, { data: { [key]: value } }) };
    }

    /**
     * Remove values of the viewer's: `(id, keys)`, or `(keys)` as of 0.9.
     * @param {string} id VIEWER, or the viewer's own id.
     * @param {string[]|string} keys Names of keys, one, or "*" for all. None at all is a bad request.
     */
    newRemovePersonAppDataRequest(...given) {
      const [id, keys] = given.length < 2 ? ["VIEWER", ...given] : given;
      return { method: "appdata.delete", params: appdata(id, { fields: [keys ?? []].flat() }) };
    }
  }

  // The container ----------------------------------------------------------------------------------------------------

  const PERSON_FIELDS =
    "id name nickname displayName thumbnailUrl thumbnailDetails profileUrl currentLocation addresses address location " +
    "gender age dateOfBirth birthday hasApp isViewer isOwner bloodType";
  // By topFriends all friends come, by their ids.
  const SUPPORTED = {
    person: PERSON_FIELDS.split(" "),
    name: ["unstructured"],
    address: ["unstructuredAddress"],
    sortOrder: ["topFriends", "name"],
    filterType: ["all", "hasApp", "topFriends"],
  };

  class Environment {
    static ObjectType = constants(
      "person address bodyType email name organization phone url activity mediaItem message messageType sortOrder " +
        "filterType"
    );

    getDomain() {
      return settings.domain;
    }

    supportsField(objectType, fieldName) {
      return Object.hasOwn(SUPPORTED, objectType) && SUPPORTED[objectType].includes(fieldName);
    }
  }

  const environment = new Environment();
  const opensocial = {
    configure,
    newDataRequest: () => new DataRequest(),
    newIdSpec: (fields) => new IdSpec(fields),
    getEnvironment: () => environment,
    Address,
    Collection,
    DataRequest,
    DataResponse,
    Enum,
    Environment,
    EscapeType,
    IdSpec,
    Name,
    Person,
    ResponseItem,
  };

  // osapi ------------------------------------------------------------------------------------------------------------

  /** Requests under keys, done in the order in which they were added. */
  const newBatch = () => {
    const added = [];
    const batch = {
      /** @return The batch, for the next `add`. */
      add(key, request) {
        added.push([key, request]);
        return batch;
      },

      /**
       * Send them. The callback gets an object with the answer under each key: what was asked for, or
       * `{error: {code, message}}`; and `error` itself where the whole batch failed.
       */
      execute(callback) {
        const requests = [...added];
        run(requests.map(([, { method, rpc }]) => ({ method, params: rpc })), (outcome) => {
          const failure = outcome instanceof Failure ? { error: { code: outcome.code, message: outcome.message } } : null;
          const answers = requests.map(([key, request], index) => {
            const answer = failure ?? outcome[index];
            return [key, answer.error ? { error: answer.error } : request.read(answer.result)];
          });
          callback?.({ ...Object.fromEntries(answers), ...failure });
        });
      },
    };
    return batch;
  };

  /** A person, or a list of people, with the name that OpenSocial 1.0 has beside the display name. */
  const withNames = (result) => {
    if (Array.isArray(result?.list)) return { ...result, list: result.list.map(withNames) };
    if (result?.displayName === undefined) return result;
    return { ...result, name: { formatted: result.displayName, unstructured: result.displayName } };
  };

  /** A function that makes requests of a method; `fixed` are the parameters that it does not leave to its caller. */
  const service = (method, defaults, fixed) => (given) => {
    const { keys, escapeType, ...rest } = given ?? {};
    const request = {
      method,
      rpc: { ...defaults, ...(keys === undefined ? {} : { fields: [keys].flat() }), ...rest, ...fixed },
      read: (result) => {
        if (method === "appdata.get") return escaped(result, escapeType);
        return method === "people.get" && !named(rest.fields) ? withNames(result) : result;
      },
      execute: (callback) => newBatch().add("only", request).execute(({ only }) => callback?.(only)),
    };
    return request;
  };

  const VIEWER = { userId: "@viewer", groupId: "@self" };
  const OWN = { ...VIEWER, appId: "@app" };
  const osapi = {
    newBatch,
    appdata: {
      get: service("appdata.get", OWN),
      update: service("appdata.update", OWN),
      delete: service("appdata.delete", OWN),
    },
    people: {
      get: service("people.get", VIEWER),
      getViewer: service("people.get", {}, VIEWER),
      getOwner: service("people.get", {}, { userId: "@owner", groupId: "@self" }),
      getViewerFriends: service("people.get", {}, { userId: "@viewer", groupId: "@friends" }),
      getOwnerFriends: service("people.get", {}, { userId: "@owner", groupId: "@friends" }),
    },
  };

  // What apps of the time use beside these calls: values come escaped, and are often JSON.
  const gadgets = {
    json: { parse: JSON.parse, stringify: JSON.stringify },
    util: {
      escapeString,
      unescapeString,
      registerOnLoadHandler: (handler) => {
        if (globalThis.document?.readyState === "loading") addEventListener("DOMContentLoaded", () => handler());
        else setTimeout(handler);
      },
    },
  };

  publish({ opensocial, osapi, gadgets });
})(((found) => {
  // An element named `currentScript` takes the script's place in `document`: it must not say where the token is sent.
  return found instanceof (globalThis.HTMLScriptElement ?? Object) ? found : null;
})(globalThis.document?.currentScript), (library) => {
  // A page's own `gadgets` stays; an element of that name is no property of the page's own.
  Object.assign(globalThis, library, Object.hasOwn(globalThis, "gadgets") && { gadgets: globalThis.gadgets });
});
