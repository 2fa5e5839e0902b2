/**
 * Information Sharing for pages: `opensocial.*` of OpenSocial 0.8, which also accepts the calls of 0.9 and 1.1, and
 * the shorter `osapi.*`. Both send JSON-RPC to the server that this script was loaded from.
 *
 *     <script src="https://social.example/js/opensocial.js" data-token="…"></script>
 *
 *     import { opensocial, osapi } from "https://social.example/js/opensocial.mjs";
 *     opensocial.configure({ token: () => freshToken() });
 *
 * The access token is the first of these: the token of `opensocial.configure`; the script tag's `data-token`; `st` in
 * the fragment or in the query of the page's URL. Without a token nothing is sent. Types are in opensocial.d.ts.
 *
 * Functions that only a container had answer NOT_IMPLEMENTED, with a sentence that names a replacement.
 */
((here, publish) => {
  "use strict";

  // The server -------------------------------------------------------------------------------------------------------

  const parameter = (text) => new URLSearchParams(text).get("st");
  const page = globalThis.location;
  // A copy of this script, in a bundle or a blob, needs the server's URL from the page (`baseUrl`).
  const home = /^https?:/.test(here?.src ?? "") ? new URL("..", here.src).href : page?.origin;

  /** The connection settings: see `opensocial.configure`. */
  const settings = {
    token: here?.dataset?.token || (page && (parameter(page.hash.slice(1)) || parameter(page.search))) || null,
    baseUrl: here?.dataset?.baseUrl || home || "",
    domain: "mixi.jp",
  };

  /**
   * Set the connection settings; omitted options do not change.
   * @param {object} options
   * @param {string|function(string=): (string|Promise<string>)} [options.token] An access token, or a function that
   *     returns one, or a promise of one. It is called before each batch. If the server answers 401, it is called once
   *     more, with the refused token; if it returns another token, the batch is sent again.
   * @param {string} [options.baseUrl] The server's URL. Default: the script tag's `data-base-url`, else the URL that
   *     this script was loaded from.
   * @param {string} [options.domain] The value of `opensocial.getEnvironment().getDomain()`.
   */
  const configure = (options) => {
    for (const name of Object.keys(settings)) {
      if (options[name] !== undefined) settings[name] = options[name];
    }
  };

  /** The failure of a whole batch; `code` is HTTP's status or JSON-RPC's code, or 0 if the server was not reached. */
  class Failure extends Error {
    constructor(code, message) {
      super(message);
      this.code = code;
    }
  }

  const baseUrl = () => settings.baseUrl.replace(/\/+$/, "");

  const ask = (token, body) => {
    // The page Information Sharing: "no authentication" is a bad request.
    if (!token) throw new Failure(400, "There is no access token");
    const headers = { "Content-Type": "application/json", Authorization: `Bearer ${token}` };
    return fetch(`${baseUrl()}/rpc`, { method: "POST", headers, body, credentials: "omit", cache: "no-store" });
  };

  const askWithFreshToken = async (body) => {
    if (typeof settings.token !== "function") return ask(settings.token, body);
    const token = await settings.token();
    const response = await ask(token, body);
    if (response.status !== 401) return response;
    // After a 401, no call of the batch has run, so the batch can be sent again.
    const fresh = await settings.token(token);
    return fresh && fresh !== token ? ask(fresh, body) : response;
  };

  /**
   * Send calls (`method` and `params`) as one batch, which the server runs in this order.
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
   * Return why a call must not be sent: it is absent, names no user, or deletes and names no key. For the server, an
   * empty list of keys means every key, but an accidentally empty variable must not delete everything; `"*"` does.
   */
  const wrong = ({ method, params, error }) => {
    if (error) return error;
    if ("userId" in params && !named(params.userId)) return { code: 400, message: "No user is named" };
    if (method !== "appdata.delete" || named(params.fields)) return undefined;
    return { code: 400, message: "No keys are named" };
  };

  /** Run calls, then call `done` with their answers or with a Failure, but never before this function returns. */
  const run = (calls, done) => {
    // Wrong calls are not sent.
    const wrongs = calls.map(wrong);
    const sent = calls.filter((_, index) => !wrongs[index]);
    const together = (answers) => wrongs.map((error) => (error ? { error } : answers.shift()));
    (async () => (sent.length ? post(sent) : []))().then(together).catch((failure) => {
      return failure instanceof Failure ? failure : new Failure(0, String(failure?.message ?? failure));
    }).then((outcome) => {
      // Outside the promise, so that an exception of a callback is a normal error of the page.
      setTimeout(() => done(outcome));
    });
  };

  // Escaping ---------------------------------------------------------------------------------------------------------

  /** The form of returned values: `HTML_ESCAPE`, the default, or as they were stored. */
  const EscapeType = { HTML_ESCAPE: "htmlEscape", NONE: "none" };

  const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  const CHARACTERS = { amp: "&", lt: "<", gt: ">", quot: '"' };

  const escapeString = (text) => String(text).replace(/[&<>"']/g, (character) => ENTITIES[character]);
  const unescapeString = (text) => {
    return String(text).replace(/&(?:#(\d{1,6})|(amp|lt|gt|quot));/g, (_, number, name) => {
      return name ? CHARACTERS[name] : String.fromCodePoint(Number(number));
    });
  };

  /** Return a value with its strings, also in arrays and plain objects, escaped unless `type` is NONE. */
  const escaped = (value, type) => {
    if (type === EscapeType.NONE) return value;
    if (typeof value === "string") return escapeString(value);
    if (Array.isArray(value)) return value.map((each) => escaped(each, type));
    if (value === null || typeof value !== "object" || Object.getPrototypeOf(value) !== Object.prototype) return value;
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, escaped(each, type)]));
  };

  // People -----------------------------------------------------------------------------------------------------------

  /** Return OpenSocial's constants for names: `{DATE_OF_BIRTH: "dateOfBirth", CANVAS: "CANVAS", …}`. */
  const constants = (names) => {
    const spelled = (name) => name.replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
    return Object.freeze(Object.fromEntries(names.split(" ").map((name) => [spelled(name), name])));
  };

  /** An object with fields. */
  class Fielded {
    #fields;
    #escapeType;

    constructor(fields, escapeType) {
      this.#fields = fields;
      this.#escapeType = escapeType;
    }

    /**
     * Return the value of a field, HTML-escaped unless `options.escapeType`, or that of the request, is NONE.
     * @param {string} name One of `Field`.
     * @param {{escapeType?: string}} [options]
     * @return {*} undefined if there is none.
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

  /** An enumerated value: its key and the text to show. */
  class Enum {
    static Gender = constants("FEMALE MALE");
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

  /** The fields of OpenSocial 0.8 that the server has under another name: that name, and the conversion. */
  const MADE = {
    name: ["displayName", (value, type) => new Name({ unstructured: value }, type)],
    nickname: ["displayName", (value) => value],
    gender: ["gender", (value) => new Enum(value)],
    dateOfBirth: ["birthday", (value) => new Date(value)],
    currentLocation: ["address", (value, type) => new Address({ unstructuredAddress: value }, type)],
    addresses: ["address", (value, type) => [new Address({ unstructuredAddress: value }, type)]],
  };

  /** A user, with the fields that the app may read. */
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

  /** A part of a list: its items, their offset in the whole list, and the length of the whole list. */
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

  // The users of a request -------------------------------------------------------------------------------------------

  /** An object whose fields are set by the app. */
  class Settable {
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

  /** Users: `userId` is VIEWER, OWNER, an id or a list of these; `groupId` SELF (default) or FRIENDS. */
  class IdSpec extends Settable {
    static Field = constants("userId groupId networkDistance");
    static PersonId = constants("OWNER VIEWER");
    static GroupId = constants("SELF FRIENDS ALL");
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

  /** Return the `userId` and `groupId` of an IdSpec, or of its fields, a user's id, or a word like VIEWER_FRIENDS. */
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

  // Requests and responses -------------------------------------------------------------------------------------------

  const ERRORS = "notImplemented unauthorized forbidden badRequest internalError limitExceeded";
  const CODES = { 400: 3, 401: 1, 403: 2, 404: 3, 405: 3, 413: 3, 415: 3, 417: 5, 429: 5, 501: 0 };
  // JSON-RPC's own codes: not JSON, not a request, no such method, wrong parameters.
  const RPC_CODES = { [-32700]: 3, [-32600]: 3, [-32601]: 0, [-32602]: 3 };

  /** Return the code of ResponseItem.Error for an error code of the server. */
  const errorCode = (code) => ERRORS.split(" ")[CODES[code] ?? RPC_CODES[code] ?? 4];

  /** The response to one request of a batch. */
  class ResponseItem {
    static Error = constants(ERRORS);
    #request;
    #error;
    #data;

    constructor(request, answer) {
      this.#request = request;
      this.#error = answer.error ?? null;
      // The data of a change is this item, so that it has `hadError()`, too.
      this.#data = request.read ? (this.#error ? null : request.read(answer.result)) : this;
    }

    hadError() {
      return this.#error !== null;
    }

    /** Return one of `ResponseItem.Error`, or null if there was no error. */
    getErrorCode() {
      return this.#error && errorCode(this.#error.code);
    }

    /** Return the server's error message, or null if there was no error. */
    getErrorMessage() {
      return this.#error && String(this.#error.message ?? "");
    }

    getOriginalDataRequest() {
      return this.#request;
    }

    /** Return the requested data, or null if there was an error. For updates and removals: this item. */
    getData() {
      return this.#data;
    }
  }

  /** The response to a batch: each item is under the key of its request. */
  class DataResponse {
    #items;
    #message;

    constructor(items, message) {
      this.#items = new Map(items.filter(([key]) => key !== undefined && key !== null));
      const first = items.map(([, item]) => item).find((item) => item.hadError());
      this.#message = message ?? (first ? first.getErrorMessage() : null);
    }

    /** Return whether the whole batch or any request in it failed. */
    hadError() {
      return this.#message !== null;
    }

    /** Return the error message of the batch, else that of its first failed request, or null if there was no error. */
    getErrorMessage() {
      return this.#message;
    }

    /** @return {ResponseItem|undefined} */
    get(key) {
      return this.#items.get(key);
    }
  }

  const SORTS = { name: "displayName" };

  /** Return the parameters of `people.get` for PeopleRequestFields. */
  const people = (spec, { profileDetail, sortOrder, filter, filterOptions, first, max }) => ({
    ...whom(spec),
    ...(profileDetail && {
      // These fields are always present; isViewer() and isOwner() need theirs.
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

  /** Requests that are sent together and run in the order in which they were added. */
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
     * Add a request of one of this object's `new…Request` methods; `get(key)` of the DataResponse returns its response.
     * @param {object} request
     * @param {string} [key]
     */
    add(request, key) {
      this.#requests.push([key, request]);
    }

    /** Send all added requests as one batch. @param {function(DataResponse)} [callback] */
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

    /** Make a request for a person: VIEWER, OWNER or an id. Data: a Person. */
    newFetchPersonRequest(id, options) {
      const read = (result) => new Person(entries(result)[0] ?? {}, options?.escapeType);
      return { method: "people.get", params: people(id, options ?? {}), read };
    }

    /** Make a request for people. Data: a Collection of Person. */
    newFetchPeopleRequest(idSpec, options) {
      const read = (result) => {
        const found = entries(result).map((entry) => new Person(entry, options?.escapeType));
        return new Collection(found, result.startIndex, result.totalResults);
      };
      return { method: "people.get", params: people(idSpec, options ?? {}), read };
    }

    /**
     * Make a request for stored values of people.
     * @param {IdSpec} idSpec
     * @param {string[]|string} keys Names of keys, one name, or "*" for all.
     * @param {{escapeType?: string}} [options] Values are HTML-escaped unless it is NONE.
     * @return {object} A request. Data: `{userId: {key: value}}`; friends without any of the keys are absent.
     */
    newFetchPersonAppDataRequest(idSpec, keys, options) {
      const read = (result) => escaped(result, options?.escapeType);
      return { method: "appdata.get", params: appdata(idSpec, { fields: [keys ?? "*"].flat() }), read };
    }

    /**
     * Make a request to store a value of the viewer: `(id, key, value)`, or `(key, value)` as in 0.9.
     * @param {string} id VIEWER, or the viewer's own id.
     * @param {string} key
     * @param {string} value
     */
    newUpdatePersonAppDataRequest(...given) {
      const [id, key, value] = given.length < 3 ? ["VIEWER", ...given] : given;
      return { method: "appdata.update", params: appdata(id, { data: { [key]: value } }) };
    }

    /**
     * Make a request to remove values of the viewer: `(id, keys)`, or `(keys)` as in 0.9.
     * @param {string} id VIEWER, or the viewer's own id.
     * @param {string[]|string} keys Names of keys, one name, or "*" for all. No name is a bad request.
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
  // `topFriends` gives all friends, sorted by their ids.
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
    // With a token, the viewer has allowed the app.
    hasPermission: () => Boolean(settings.token),
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

  /** Make a batch: requests under keys, run in the order in which they were added. */
  const newBatch = () => {
    const added = [];
    const batch = {
      /** @return The batch, for the next `add`. */
      add(key, request) {
        added.push([key, request]);
        return batch;
      },

      /**
       * Send the requests. The callback gets an object with the answer under each key: the requested data, or
       * `{error: {code, message}}`. If the whole batch failed, the object also has `error` itself.
       */
      execute(callback) {
        const requests = [...added];
        run(requests.map(([, { method, rpc, error }]) => ({ method, params: rpc, error })), (outcome) => {
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

  /** Return a person, or a list of people, with `name`, which OpenSocial 1.0 has besides the display name. */
  const withNames = (result) => {
    if (Array.isArray(result?.list)) return { ...result, list: result.list.map(withNames) };
    if (result?.displayName === undefined) return result;
    return { ...result, name: { formatted: result.displayName, unstructured: result.displayName } };
  };

  /** Return a function that makes requests of a method. Its caller cannot change the parameters in `fixed`. */
  const service = (method, defaults, fixed, error) => (given) => {
    const { keys, escapeType, ...rest } = given ?? {};
    const request = {
      method,
      error,
      rpc: { ...defaults, ...(keys === undefined ? {} : { fields: [keys].flat() }), ...rest, ...fixed },
      read: (result) => {
        if (["appdata.get", "appdata.patch"].includes(method)) return escaped(result, escapeType);
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
      patch: service("appdata.patch", OWN),
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

  // gadgets and mixi -------------------------------------------------------------------------------------------------

  const getUrlParameters = () => {
    const { search = "", hash = "" } = globalThis.location ?? {};
    return Object.fromEntries(new URLSearchParams(`${hash.slice(1)}&${search.slice(1)}`));
  };

  // The app has a window of its own, which scrolls.
  const canvas = { getName: () => "canvas", isOnlyVisibleGadget: () => true };
  const adjustHeight = () => {};
  const FEATURES = "core core.json core.util dynamic-height opensocial-0.8 osapi settitle";

  const gadgets = {
    io: {
      encodeValues: (fields) => String(new URLSearchParams(fields)),
      /** Return the URL, safe in HTML as a proxy's is: without quotes and angle brackets, and only of http(s). */
      getProxyUrl: (url) => {
        try {
          const { protocol, href } = new URL(url, globalThis.document?.baseURI);
          return /^https?:$/.test(protocol) ? href.replaceAll("'", "%27") : "";
        } catch {
          return "";
        }
      },
    },
    json: { parse: JSON.parse, stringify: JSON.stringify },
    util: {
      escapeString,
      unescapeString,
      getFeatureParameters: () => null,
      getUrlParameters,
      hasFeature: (name) => FEATURES.split(" ").includes(name),
      registerOnLoadHandler: (handler) => {
        if (globalThis.document?.readyState === "loading") addEventListener("DOMContentLoaded", () => handler());
        else setTimeout(handler);
      },
      sanitizeHtml: escapeString,
    },
    views: {
      getCurrentView: () => canvas,
      getSupportedViews: () => ({ canvas }),
      /** Return the parameters of a page app's start. */
      getParams: () => {
        try {
          return Object(JSON.parse(getUrlParameters().appParams));
        } catch {
          return {};
        }
      },
    },
    window: {
      adjustHeight,
      getViewportDimensions: () => ({ width: globalThis.innerWidth, height: globalThis.innerHeight }),
      setTitle: (title) => {
        document.title = title;
      },
    },
  };

  let appId = "";
  const mixi = {
    init: (options) => {
      ({ appId } = options);
    },
    /** Ask the user for scopes. The browser returns to the app's redirect URI. */
    auth: (options) => {
      const asked = new URLSearchParams({ client_id: appId, response_type: "code", ...options });
      open(`${baseUrl()}/connect_authorize.pl?${asked}`, "_top");
    },
    util: {
      requestExternalNavigateTo: (url) => {
        if (/^https?:/i.test(url)) open(url, "_blank", "noopener");
      },
    },
    window: { adjustHeight, scrollTo: (y) => scrollTo(0, y ?? 0) },
  };

  // What is absent ---------------------------------------------------------------------------------------------------

  const library = { opensocial, osapi, gadgets, mixi };
  const put = (path, value) => {
    const parts = path.split(".");
    const last = parts.pop();
    parts.reduce((at, part) => (at[part] ??= {}), library)[last] = value;
  };

  // Apps make these objects, and use these constants, before they ask for something that is absent.
  for (const list of ["Activity", "MediaItem mimeType url", "Message body", "NavigationParameters", "Payment"]) {
    const [name, ...first] = list.split(" ");
    const Made = (opensocial[name] = class extends Settable {});
    opensocial[`new${name}`] = (...given) => {
      return new Made({ ...given[first.length], ...Object.fromEntries(first.map((field, at) => [field, given[at]])) });
    };
  }
  for (const line of `
    opensocial.Activity.Field body bodyId externalId mediaItems priority templateParams title titleId url
    opensocial.CreateActivityPriority HIGH LOW
    opensocial.DataRequest.ActivityRequestFields appId
    opensocial.MediaItem.Field mimeType type url
    opensocial.MediaItem.Type audio image video
    opensocial.Message.Field body bodyId title titleId type
    opensocial.Message.Type email notification privateMessage publicMessage
    opensocial.NavigationParameters.DestinationType recipientDestination viewerDestination
    opensocial.NavigationParameters.Field owner parameters view
    opensocial.Payment.Field amount items message paymentType
    opensocial.Payment.PaymentType credit payment
    opensocial.Payment.ResponseCode notImplemented ok userCancelled
    opensocial.Permission viewer
    gadgets.io.AuthorizationType NONE OAUTH SIGNED
    gadgets.io.ContentType DOM FEED JSON TEXT
    gadgets.io.MethodType DELETE GET HEAD POST PUT
    gadgets.io.ProxyUrlRequestParameters REFRESH_INTERVAL
    gadgets.io.RequestParameters AUTHORIZATION CONTENT_TYPE GET_SUMMARIES HEADERS METHOD NUM_ENTRIES POST_DATA
    gadgets.skins.Property ANCHOR_COLOR BG_COLOR BG_IMAGE FONT_COLOR
    gadgets.views.ViewType CANVAS HOME PREVIEW PROFILE
    mixi.ActivityField recipients
    mixi.Payment.Field inventoryCode isTest itemId itemName signature
    mixi.PersonField bloodType
    mixi.Request.Field body description filterType image mobileUrl touchUrl url
    mixi.Request.FilterType BOTH JOINED_ONLY
    mixi.Status.Field mobileUrl touchUrl url
    mixi.util.ExternalSiteType PAYMENT
  `.trim().split(/\n +/)) {
    const [path, ...names] = line.split(" ");
    put(path, constants(names.join(" ")));
  }

  // Each of these makes a function, from its error and its name.
  const refusing = (answer) => (error, method) => (...given) => {
    console.warn(error.message);
    const done = given.find((each) => typeof each === "function");
    if (done) setTimeout(() => done(answer(error, method)));
  };
  const item = refusing((error, method) => new ResponseItem({ method, params: {} }, { error }));
  const response = refusing(({ code, message }) => ({ data: null, text: "", rc: code, errors: [message] }));
  const request = (error, method) => () => ({ method, params: {}, read: () => null, error });
  const call = (error, method) => service(method, {}, {}, error);
  const thrown = ({ message }) => function () {
    throw Object.assign(new Error(message), { code: "notImplemented" });
  };

  const POST = "Store a value that friends read, or post to a page with the Page API.";
  const LINK = "Give the user a link to send.";
  const FETCH = "Use fetch to your own server, where the user signs in by OAuth 2.";
  for (const [make, instead, prefix, names] of [
    [item, POST, "", "opensocial.requestCreateActivity mixi.requestUpdateStatus mixi.requestUploadMediaItem"],
    [item, LINK, "opensocial.request", "SendMessage ShareApp"],
    [item, "OAuth 2 asks the user for scopes.", "", "opensocial.requestPermission"],
    [item, "Use a payment service.", "", "opensocial.requestPayment"],
    [request, POST, "opensocial.DataRequest.prototype.newFetch", "ActivitiesRequest AlbumsRequest MediaItemsRequest"],
    [call, POST, "osapi.", "activities.create activities.get albums.get mediaItems.create mediaItems.get"],
    [call, LINK, "osapi.messages.", "get send"],
    [call, FETCH, "osapi.http.", "delete get head post put"],
    [response, FETCH, "", "gadgets.io.makeRequest"],
    [thrown, "Store settings with osapi.appdata, and write texts into the page.", "", "gadgets.Prefs"],
    [thrown, "Use links to your pages.", "gadgets.views.", "bind requestNavigateTo"],
    [
      thrown,
      "Use what browsers have.",
      "gadgets.",
      "MiniMessage TabSet flash.embedCachedFlash flash.embedFlash flash.getMajorVersion pubsub.publish pubsub.subscribe " +
        "rpc.call rpc.register skins.getProperty",
    ],
  ]) {
    for (const name of names.split(" ")) {
      const method = `${prefix}${name}`.replace("prototype.", "");
      const message = `NOT_IMPLEMENTED: ${method} is not available here. ${instead}`;
      put(`${prefix}${name}`, make({ code: 501, message }, method));
    }
  }

  publish(library);
})(((found) => {
  // An element named `currentScript` replaces the script in `document`; it must not decide where the token is sent.
  return found instanceof (globalThis.HTMLScriptElement ?? Object) ? found : null;
})(globalThis.document?.currentScript), (library) => {
  // A page's own `gadgets` and `mixi` stay. An element of such a name is not an own property of the global object.
  const kept = ["gadgets", "mixi"].filter((name) => Object.hasOwn(globalThis, name));
  Object.assign(globalThis, library, Object.fromEntries(kept.map((name) => [name, globalThis[name]])));
});
