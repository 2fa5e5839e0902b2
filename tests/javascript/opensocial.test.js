// Run by tests/unit/test_opensocial_js.py, beside the module as the server serves it.
import { gadgets, mixi, opensocial, osapi } from "./opensocial.mjs";

const BASE = "https://social.example";
const VIEWER = opensocial.IdSpec.PersonId.VIEWER;

function equal(actual, expected) {
  const [is, should] = [actual, expected].map((value) => JSON.stringify(value, null, 1));
  if (is !== should) throw new Error(`is ${is}, should be ${should}`);
}

/** The server: what it was sent, and what it answers; a function of the calls, or a Response, or an error. */
function serve(answer) {
  const sent = [];
  opensocial.configure({ baseUrl: BASE, token: "T" });
  globalThis.fetch = async (url, options) => {
    const calls = JSON.parse(options.body);
    sent.push({ url, calls, authorization: options.headers.Authorization, options });
    const made = typeof answer === "function" ? answer(calls, sent.length) : answer;
    if (made instanceof Error) throw made;
    if (made instanceof Response) return made.clone();
    return Response.json(made);
  };
  return sent;
}

const results = (result) => (calls) => calls.map(({ id }) => ({ id, result, data: result }));
const errors = (code) => (calls) => calls.map(({ id }) => ({ id, error: { code, message: `wrong: ${code}` } }));
const refused = (status) => Response.json({ error: "invalid_token", error_description: "No." }, { status });

/** The DataResponse to the requests that `add` adds. */
function send(add) {
  const request = opensocial.newDataRequest();
  add(request);
  return new Promise((resolve) => request.send(resolve));
}

const update = (request) => request.add(request.newUpdatePersonAppDataRequest(VIEWER, "comment", "hi"), "response");
const execute = (request) => new Promise((resolve) => request.execute(resolve));
const params = (sent) => sent[0].calls.map((call) => [call.method, call.params]);

Deno.test("a batch is one POST to /rpc, in the order in which its requests were added", async () => {
  const sent = serve(results({}));
  await send((request) => {
    request.add(request.newUpdatePersonAppDataRequest(VIEWER, "a", "1"), "same");
    request.add(request.newFetchPersonAppDataRequest(VIEWER, ["a", "b"]));
    request.add(request.newRemovePersonAppDataRequest(VIEWER, "a"), "same");
  });
  equal(sent.length, 1);
  equal([sent[0].url, sent[0].options.method, sent[0].authorization], [`${BASE}/rpc`, "POST", "Bearer T"]);
  equal(sent[0].options.credentials, "omit");
  const own = { userId: ["@viewer"], groupId: "@self", appId: "@app" };
  equal(params(sent), [
    ["appdata.update", { ...own, data: { a: "1" } }],
    ["appdata.get", { ...own, fields: ["a", "b"] }],
    ["appdata.delete", { ...own, fields: ["a"] }],
  ]);
  equal(new Set(sent[0].calls.map((call) => call.id)).size, 3);
});

Deno.test("answers go by their ids, whatever order they come in", async () => {
  serve((calls) => calls.map(({ id, params }) => ({ id, result: { k3: { key: params.fields[0] } } })).reverse());
  const data = await send((request) => {
    for (const key of ["a", "b"]) request.add(request.newFetchPersonAppDataRequest(VIEWER, key), key);
  });
  equal([data.get("a").getData(), data.get("b").getData()], [{ k3: { key: "a" } }, { k3: { key: "b" } }]);
  equal(data.get("c"), undefined);
  equal([data.hadError(), data.getErrorMessage()], [false, null]);
});

Deno.test("an answer with data alone counts like one with result", async () => {
  serve((calls) => calls.map(({ id }) => ({ id, data: { k3: { a: "1" } } })));
  const data = await send((request) => request.add(request.newFetchPersonAppDataRequest(VIEWER, "*"), "r"));
  equal(data.get("r").getData(), { k3: { a: "1" } });
});

Deno.test("the calls of OpenSocial 0.9 leave the viewer out", async () => {
  const sent = serve(results({}));
  await send((request) => {
    request.add(request.newUpdatePersonAppDataRequest("a", "1"));
    request.add(request.newRemovePersonAppDataRequest(["a", "b"]));
    request.add(request.newRemovePersonAppDataRequest("*"));
  });
  const own = { userId: ["@viewer"], groupId: "@self", appId: "@app" };
  equal(params(sent), [
    ["appdata.update", { ...own, data: { a: "1" } }],
    ["appdata.delete", { ...own, fields: ["a", "b"] }],
    ["appdata.delete", { ...own, fields: ["*"] }],
  ]);
});

Deno.test("users and groups are named as the server names them", async () => {
  const { USER_ID, GROUP_ID } = opensocial.IdSpec.Field;
  const ids = { [USER_ID]: ["k3v9x2mtq7ra", VIEWER], [GROUP_ID]: opensocial.IdSpec.GroupId.SELF };
  const changed = opensocial.newIdSpec({ userId: "OWNER" });
  changed.setField(GROUP_ID, "FRIENDS");
  equal(changed.getField(GROUP_ID), "FRIENDS");
  const specs = [
    [opensocial.newIdSpec({ userId: VIEWER, groupId: "FRIENDS" }), ["@viewer"], "@friends"],
    [opensocial.newIdSpec({ userId: VIEWER, groupId: opensocial.IdSpec.GroupId.FRIENDS }), ["@viewer"], "@friends"],
    [opensocial.newIdSpec(ids), ["k3v9x2mtq7ra", "@viewer"], "@self"],
    [changed, ["@owner"], "@friends"],
    [{ userId: "@me", groupId: "@friends" }, ["@me"], "@friends"],
    ["OWNER", ["@owner"], "@self"],
    ["VIEWER_FRIENDS", ["@viewer"], "@friends"],
    ["k3v9x2mtq7ra", ["k3v9x2mtq7ra"], "@self"],
    [["a", "b"], ["a", "b"], "@self"],
    [opensocial.newIdSpec({ userId: VIEWER, groupId: "family" }), ["@viewer"], "family"],
  ];
  for (const [spec, userId, groupId] of specs) {
    const sent = serve(results({}));
    await send((request) => request.add(request.newFetchPersonAppDataRequest(spec, "a")));
    equal([sent[0].calls[0].params.userId, sent[0].calls[0].params.groupId], [userId, groupId]);
  }
});

Deno.test("values come escaped, and as they are where the request says so", async () => {
  const raw = { k3: { comment: `Oops! >< & "it's"` } };
  serve(results(raw));
  const options = { [opensocial.DataRequest.DataRequestFields.ESCAPE_TYPE]: opensocial.EscapeType.NONE };
  const data = await send((request) => {
    request.add(request.newFetchPersonAppDataRequest(VIEWER, "comment"), "escaped");
    request.add(request.newFetchPersonAppDataRequest(VIEWER, "comment", options), "raw");
  });
  const escaped = data.get("escaped").getData().k3.comment;
  equal(escaped, "Oops! &gt;&lt; &amp; &quot;it&#39;s&quot;");
  equal(gadgets.util.unescapeString(escaped), raw.k3.comment);
  equal(data.get("raw").getData(), raw);
  equal(gadgets.util.unescapeString("&amp;lt; &#60;&#x3c; &nbsp;"), "&lt; <&#x3c; &nbsp;");
});

Deno.test("the server's codes are those of ResponseItem.Error", async () => {
  const { Error } = opensocial.ResponseItem;
  const codes = {
    [Error.BAD_REQUEST]: [400, 404, 413, -32700, -32600, -32602],
    [Error.UNAUTHORIZED]: [401],
    [Error.FORBIDDEN]: [403],
    [Error.LIMIT_EXCEEDED]: [417, 429],
    [Error.INTERNAL_ERROR]: [500, 503, 0, -32603],
    [Error.NOT_IMPLEMENTED]: [501, -32601],
  };
  for (const [expected, numbers] of Object.entries(codes)) {
    for (const code of numbers) {
      serve(errors(code));
      const data = await send(update);
      const item = data.get("response");
      equal([code, item.hadError(), item.getErrorCode()], [code, true, expected]);
      equal([item.getErrorMessage(), data.hadError(), data.getErrorMessage()], [`wrong: ${code}`, true, `wrong: ${code}`]);
    }
  }
});

Deno.test("what a change returns can be asked for its error, and a read without data is null", async () => {
  serve(results({}));
  const good = (await send(update)).get("response");
  for (const item of [good, good.getData()]) {
    equal([item.hadError(), item.getErrorCode(), item.getErrorMessage()], [false, null, null]);
  }
  serve(errors(417));
  const both = await send((request) => {
    request.add(request.newRemovePersonAppDataRequest(VIEWER, ["comment"]), "removal");
    request.add(request.newFetchPersonAppDataRequest(VIEWER, "*"), "read");
  });
  const bad = both.get("removal").getData();
  equal([bad.hadError(), bad.getErrorCode()], [true, "limitExceeded"]);
  equal([both.get("read").hadError(), both.get("read").getData()], [true, null]);
});

Deno.test("one request of a batch fails for itself", async () => {
  serve((calls) => calls.map(({ id }, index) => (index ? { id, result: {} } : errors(403)([{ id }])[0])));
  const data = await send((request) => {
    request.add(request.newFetchPersonAppDataRequest("y2b7g5hhv3qx", "*"), "bad");
    update(request);
  });
  equal([data.get("bad").getErrorCode(), data.get("response").hadError()], ["forbidden", false]);
  equal([data.hadError(), data.getErrorMessage()], [true, "wrong: 403"]);
});

Deno.test("a batch that fails as a whole gives each of its requests the reason", async () => {
  const whole = [
    [new TypeError("Failed to fetch"), "internalError", "Failed to fetch"],
    [refused(401), "unauthorized", "No."],
    [refused(500), "internalError", "No."],
    [new Response("<html>", { status: 413 }), "badRequest", "The server answered 413"],
    [new Response("", { status: 200 }), "internalError", "The server answered 200"],
    [Response.json({ error: { code: -32600, message: "Too many" } }, { status: 400 }), "badRequest", "Too many"],
  ];
  for (const [answer, code, message] of whole) {
    serve(answer);
    const data = await send(update);
    equal([data.hadError(), data.getErrorMessage(), data.get("response").getErrorCode()], [true, message, code]);
    const { error } = await execute(osapi.people.getViewer());
    equal([typeof error.code, error.message], ["number", message]);
  }
});

Deno.test("a request that the server does not answer has an error", async () => {
  serve([]);
  equal((await send(update)).get("response").getErrorCode(), "internalError");
});

Deno.test("a value that is no JSON is an error, not an exception", async () => {
  serve(results({}));
  const data = await send((request) => request.add(request.newUpdatePersonAppDataRequest(VIEWER, "a", 1n), "r"));
  equal([data.hadError(), data.get("r").hadError()], [true, true]);
});

Deno.test("a removal of no keys is not sent, and the rest of its batch is", async () => {
  for (const keys of [[], [""], [undefined, null], undefined, null, ""]) {
    const sent = serve(results({}));
    const data = await send((request) => {
      request.add(request.newRemovePersonAppDataRequest(VIEWER, keys), "none");
      update(request);
    });
    equal(params(sent).map(([method]) => method), ["appdata.update"]);
    equal([data.get("none").getErrorCode(), data.get("response").hadError()], ["badRequest", false]);
    const { none, other } = await execute(
      osapi.newBatch().add("none", osapi.appdata.delete({ keys })).add("other", osapi.appdata.update({ data: { a: "1" } }))
    );
    equal([none.error, other], [{ code: 400, message: "No keys are named" }, {}]);
    equal(sent[1].calls.map((call) => call.method), ["appdata.update"]);
  }
  const sent = serve(results({}));
  for (const options of [undefined, null, {}, { fields: [] }, { fields: "" }, { keys: ["a"], fields: undefined }]) {
    equal((await execute(osapi.appdata.delete(options))).error, { code: 400, message: "No keys are named" });
  }
  equal(sent.length, 0);
});

Deno.test("a star removes everything", async () => {
  for (const everything of ["*", ["*"]]) {
    const sent = serve(results({}));
    const data = await send((request) => request.add(request.newRemovePersonAppDataRequest(VIEWER, everything), "r"));
    const own = { userId: ["@viewer"], groupId: "@self", appId: "@app" };
    equal([data.hadError(), params(sent)], [false, [["appdata.delete", { ...own, fields: ["*"] }]]]);
    equal(await execute(osapi.appdata.delete({ keys: everything })), {});
    equal(sent[1].calls[0].params.fields, ["*"]);
  }
});

Deno.test("the callback comes later, also where nothing was added, and is not needed", async () => {
  serve(results({}));
  let called = false;
  opensocial.newDataRequest().send((data) => (called = data.hadError() === false));
  opensocial.newDataRequest().send();
  equal(called, false);
  await new Promise((resolve) => setTimeout(resolve, 20));
  equal(called, true);
});

Deno.test("a token function is asked before each batch, and again when its token is refused", async () => {
  const sent = serve((calls, count) => (count === 2 ? refused(401) : results({})(calls)));
  const asked = [];
  opensocial.configure({ token: async (old) => (asked.push(old ?? null), `T${asked.length}`) });
  equal((await send(update)).hadError(), false);
  equal((await send(update)).hadError(), false);
  equal(asked, [null, null, "T2"]);
  equal(sent.map((each) => each.authorization), ["Bearer T1", "Bearer T2", "Bearer T3"]);
});

Deno.test("a batch is sent twice at most, and once where no other token comes", async () => {
  for (const [token, times] of [[() => "same", 1], [(old) => (old ? "second" : "first"), 2], ["plain", 1]]) {
    const sent = serve(refused(401));
    opensocial.configure({ token });
    equal((await send(update)).get("response").getErrorCode(), "unauthorized");
    equal(sent.length, times);
  }
});

Deno.test("a token function that fails is the batch's error", async () => {
  serve(results({}));
  opensocial.configure({ token: () => Promise.reject(new Error("signed out")) });
  equal((await send(update)).getErrorMessage(), "signed out");
});

Deno.test("without a token nothing is sent, and everything is a bad request", async () => {
  for (const token of [null, "", () => null, async () => ""]) {
    const sent = serve(results({}));
    opensocial.configure({ token });
    const data = await send(update);
    equal([data.getErrorMessage(), data.get("response").getErrorCode()], ["There is no access token", "badRequest"]);
    equal((await execute(osapi.people.getViewer())).error, { code: 400, message: "There is no access token" });
    equal(sent.length, 0);
  }
});

Deno.test("a token that is refused, and for which no other comes, is unauthorized", async () => {
  const sent = serve(refused(401));
  opensocial.configure({ token: (old) => (old ? null : "T") });
  equal((await send(update)).get("response").getErrorCode(), "unauthorized");
  equal(sent.length, 1);
});

Deno.test("a request that names no user is not sent, and the rest of its batch is", async () => {
  for (const user of ["", undefined, null, [], [""], opensocial.newIdSpec({}), { userId: "" }, { userId: [undefined] }]) {
    const sent = serve(results({}));
    const data = await send((request) => {
      request.add(request.newFetchPersonRequest(user), "person");
      request.add(request.newFetchPeopleRequest(user), "people");
      request.add(request.newFetchPersonAppDataRequest(user, "*"), "get");
      request.add(request.newUpdatePersonAppDataRequest(user, "a", "1"), "update");
      request.add(request.newRemovePersonAppDataRequest(user, "a"), "remove");
      update(request);
    });
    for (const key of ["person", "people", "get", "update", "remove"]) {
      equal([data.get(key).getErrorCode(), data.get(key).getErrorMessage()], ["badRequest", "No user is named"]);
    }
    equal([params(sent).length, data.get("response").hadError()], [1, false]);
  }
  const sent = serve(results({}));
  for (const userId of ["", undefined, null, [], [""]]) {
    const { get, update, delete: remove } = osapi.appdata;
    const given = { userId, keys: ["a"] };
    for (const request of [get(given), update({ userId, data: { a: "1" } }), remove(given), osapi.people.get({ userId })]) {
      equal((await execute(request)).error, { code: 400, message: "No user is named" });
    }
  }
  equal(sent.length, 0);
});

const KEN = {
  id: "a8d1p0zzk4wn",
  displayName: "健 <Ken>",
  thumbnailUrl: "https://people.example/ken.jpg",
  isViewer: false,
  isOwner: "true",
  hasApp: true,
  gender: "male",
  birthday: "1988-11-23",
  address: "神奈川県",
};

Deno.test("a person has the fields of OpenSocial 0.8, made of what the server has", async () => {
  serve(results(KEN));
  const ken = (await send((request) => request.add(request.newFetchPersonRequest(VIEWER), "v"))).get("v").getData();
  const { Field } = opensocial.Person;
  equal([ken.getId(), ken.getDisplayName(), ken.isViewer(), ken.isOwner()], [KEN.id, "健 &lt;Ken&gt;", false, true]);
  equal(ken.getField(Field.NICKNAME), "健 &lt;Ken&gt;");
  equal(ken.getField(Field.NICKNAME, { escapeType: "none" }), "健 <Ken>");
  equal(ken.getField(Field.NAME).getField(opensocial.Name.Field.UNSTRUCTURED), "健 &lt;Ken&gt;");
  equal([ken.getField(Field.GENDER).getKey(), ken.getField(Field.GENDER).getDisplayValue()], ["MALE", "male"]);
  equal(ken.getField(Field.DATE_OF_BIRTH).toISOString(), "1988-11-23T00:00:00.000Z");
  const [address] = ken.getField(Field.ADDRESSES);
  equal(address.getField(opensocial.Address.Field.UNSTRUCTURED_ADDRESS), "神奈川県");
  equal([ken.getField(Field.HAS_APP), ken.getField(Field.AGE), ken.getField("constructor")], [true, undefined, undefined]);
});

Deno.test("people are a collection, and are asked for by the server's names", async () => {
  const sent = serve(results({ list: [KEN, { id: "m5c2e7uub9fh" }], startIndex: 1, totalResults: 5 }));
  const { PeopleRequestFields: F, SortOrder, FilterType } = opensocial.DataRequest;
  const options = {
    [F.PROFILE_DETAILS]: [opensocial.Person.Field.DATE_OF_BIRTH, opensocial.Person.Field.GENDER],
    [F.SORT_ORDER]: SortOrder.NAME,
    [F.FILTER]: FilterType.HAS_APP,
    [F.FIRST]: 1,
    [F.MAX]: 2,
    escapeType: "none",
  };
  const spec = opensocial.newIdSpec({ userId: VIEWER, groupId: "FRIENDS" });
  const data = await send((request) => {
    request.add(request.newFetchPeopleRequest(spec, options), "f");
    request.add(request.newFetchPeopleRequest(spec, { sortOrder: SortOrder.TOP_FRIENDS, filter: FilterType.ALL }));
  });
  const base = { userId: ["@viewer"], groupId: "@friends" };
  const fields = ["id", "displayName", "thumbnailUrl", "isViewer", "isOwner", "birthday", "gender"];
  equal(params(sent), [
    ["people.get", { ...base, fields, sortBy: "displayName", filterBy: "hasApp", startIndex: 1, count: 2 }],
    ["people.get", base],
  ]);
  const friends = data.get("f").getData();
  equal([friends.size(), friends.getOffset(), friends.getTotalSize(), friends.asArray().length], [2, 1, 5, 2]);
  equal([friends.getById(KEN.id).getDisplayName(), friends.getById("nobody")], ["健 <Ken>", null]);
  const seen = [];
  friends.each((person) => seen.push(person.getId()));
  equal(seen, [KEN.id, "m5c2e7uub9fh"]);
});

Deno.test("osapi asks with the viewer's own data as its default", async () => {
  const asked = [
    [osapi.appdata.get({ keys: ["a"] }), { userId: "@viewer", groupId: "@self", appId: "@app", fields: ["a"] }],
    [osapi.appdata.get({ keys: "*", groupId: "@friends" }), { userId: "@viewer", groupId: "@friends", appId: "@app", fields: ["*"] }],
    [osapi.appdata.update({ data: { a: "1" } }), { userId: "@viewer", groupId: "@self", appId: "@app", data: { a: "1" } }],
    [osapi.appdata.patch({ changes: { a: { add: "1" } } }), { userId: "@viewer", groupId: "@self", appId: "@app", changes: { a: { add: "1" } } }],
    [osapi.appdata.get({ keys: "a", groupId: "@friends", sortBy: "a" }), { userId: "@viewer", groupId: "@friends", appId: "@app", fields: ["a"], sortBy: "a" }],
    [osapi.appdata.delete({ userId: "k3", fields: ["a"] }), { userId: "k3", groupId: "@self", appId: "@app", fields: ["a"] }],
    [osapi.people.get(), { userId: "@viewer", groupId: "@self" }],
    [osapi.people.get({ userId: ["a", "b"], fields: ["id"] }), { userId: ["a", "b"], groupId: "@self", fields: ["id"] }],
    [osapi.people.getViewer(), { userId: "@viewer", groupId: "@self" }],
    [osapi.people.getOwner(), { userId: "@owner", groupId: "@self" }],
    [osapi.people.getViewerFriends({ count: 5 }), { count: 5, userId: "@viewer", groupId: "@friends" }],
    [osapi.people.getOwnerFriends({ userId: "ignored" }), { userId: "@owner", groupId: "@friends" }],
  ];
  for (const [request, expected] of asked) {
    const sent = serve(results({}));
    equal(await execute(request), {});
    const sort = (object) => Object.entries(object).sort(([one], [other]) => (one < other ? -1 : 1));
    equal(sort(sent[0].calls[0].params), sort(expected));
  }
});

Deno.test("osapi escapes stored values, not people, and gives errors as the server words them", async () => {
  serve(results({ k3: { a: "<b>" } }));
  equal(await execute(osapi.appdata.get()), { k3: { a: "&lt;b&gt;" } });
  equal(await execute(osapi.appdata.patch({ changes: { a: { set: "<b>" } } })), { k3: { a: "&lt;b&gt;" } });
  equal(await execute(osapi.appdata.get({ escapeType: opensocial.EscapeType.NONE })), { k3: { a: "<b>" } });
  serve(results(KEN));
  equal((await execute(osapi.people.getViewer())).displayName, "健 <Ken>");
  serve(errors(417));
  equal(await execute(osapi.appdata.update({ data: { a: "1" } })), { error: { code: 417, message: "wrong: 417" } });
});

Deno.test("a batch of osapi answers under its keys", async () => {
  const sent = serve((calls) => [{ id: calls[0].id, result: KEN }, errors(403)([calls[1]])[0]]);
  const batch = osapi.newBatch().add("me", osapi.people.getViewer()).add("data", osapi.appdata.get());
  const { me, data, error } = await execute(batch);
  equal([sent.length, sent[0].calls.map((call) => call.method)], [1, ["people.get", "appdata.get"]]);
  equal([me.id, data.error.code, error], [KEN.id, 403, undefined]);
  serve(refused(401));
  const failed = await execute(batch);
  equal([failed.error.code, failed.me.error.code, failed.data.error.message], [401, 401, "No."]);
  equal(await execute(osapi.newBatch()), {});
});

Deno.test("options may be left out or null", async () => {
  for (const options of [undefined, null, {}]) {
    serve(results({ id: "k3", displayName: "<k>", k3: "<v>" }));
    const data = await send((request) => {
      request.add(request.newFetchPersonRequest(VIEWER, options), "person");
      request.add(request.newFetchPeopleRequest(VIEWER, options), "people");
      request.add(request.newFetchPersonAppDataRequest(VIEWER, "*", options), "data");
    });
    const people = [data.get("person").getData(), ...data.get("people").getData().asArray()];
    equal(people.map((each) => each.getDisplayName()), ["&lt;k&gt;", "&lt;k&gt;"]);
    equal([data.get("data").getData().k3, (await execute(osapi.people.get(options))).id], ["&lt;v&gt;", "k3"]);
  }
});

Deno.test("people of osapi have a name, unless other fields were asked for", async () => {
  const name = { formatted: "健 <Ken>", unstructured: "健 <Ken>" };
  serve(results(KEN));
  equal((await execute(osapi.people.getViewer())).name, name);
  equal((await execute(osapi.people.get({ fields: [] }))).name, name);
  equal((await execute(osapi.people.get({ fields: ["displayName"] }))).name, undefined);
  serve(results({ list: [KEN, { id: "m5c2e7uub9fh" }], totalResults: 2 }));
  const { list, totalResults } = await execute(osapi.people.getViewerFriends());
  equal([list.map((each) => each.name), totalResults], [[name, undefined], 2]);
  serve(errors(403));
  equal((await execute(osapi.people.getViewer())).error.code, 403);
});

Deno.test("the environment tells what there is", () => {
  const environment = opensocial.getEnvironment();
  const { ObjectType } = opensocial.Environment;
  equal(environment.getDomain(), "mixi.jp");
  equal(environment.supportsField(ObjectType.PERSON, opensocial.Person.Field.GENDER), true);
  equal(environment.supportsField(ObjectType.PERSON, opensocial.Person.Field.QUOTES), false);
  for (const name of ["thumbnailDetails", "birthday", "address", "location", "isViewer", "isOwner", "bloodType"]) {
    equal([name, environment.supportsField(ObjectType.PERSON, name)], [name, true]);
  }
  const { SortOrder, FilterType } = opensocial.DataRequest;
  equal(Object.values(SortOrder).map((each) => environment.supportsField(ObjectType.SORT_ORDER, each)), [true, true]);
  const filters = Object.values(FilterType).map((each) => environment.supportsField(ObjectType.FILTER_TYPE, each));
  equal(filters, [true, true, true, false]);
  equal(environment.supportsField("constructor", "name"), false);
  equal(opensocial.Person.Field.POLITICAL_VIEWS, "politicalViews");
  opensocial.configure({ domain: "social.example" });
  equal(environment.getDomain(), "social.example");
  opensocial.configure({ domain: "mixi.jp" });
});

Deno.test("the original order of a request and its answer is kept", async () => {
  serve(results({}));
  const request = opensocial.newDataRequest();
  const added = request.newUpdatePersonAppDataRequest(VIEWER, "a", "1");
  request.add(added, "a");
  const data = await new Promise((resolve) => request.send(resolve));
  equal(data.get("a").getOriginalDataRequest() === added, true);
});

// What is absent -----------------------------------------------------------------------------------------------------

/** Run a function. Return what it returns and the warnings in the console. */
function warned(run) {
  const warnings = [];
  const before = console.warn;
  console.warn = (text) => warnings.push(text);
  try {
    return [run(), warnings];
  } finally {
    console.warn = before;
  }
}

const says = (message, name) => {
  const [, named, instead] = /^NOT_IMPLEMENTED: (\S+) is not available here\. ([A-Z].*\.)$/.exec(message) ?? [];
  equal([named, instead.length > 10], [name, true]);
};

Deno.test("a function of a container calls back with NOT_IMPLEMENTED and a sentence, later", async () => {
  const sent = serve(results({}));
  const activity = opensocial.newActivity({ [opensocial.Activity.Field.TITLE]: "I won" });
  const image = opensocial.newMediaItem("image/png", "https://game.example/a.png");
  const message = opensocial.newMessage("hi", { [opensocial.Message.Field.TITLE]: "Hello" });
  const payment = opensocial.newPayment({ [opensocial.Payment.Field.AMOUNT]: 100 });
  const calls = {
    "opensocial.requestCreateActivity": (done) => {
      opensocial.requestCreateActivity(activity, opensocial.CreateActivityPriority.HIGH, done);
    },
    "opensocial.requestSendMessage": (done) => opensocial.requestSendMessage(["k3"], message, done),
    "opensocial.requestShareApp": (done) => opensocial.requestShareApp("VIEWER_FRIENDS", null, done, {}),
    "opensocial.requestPermission": (done) => opensocial.requestPermission([opensocial.Permission.VIEWER], "", done),
    "opensocial.requestPayment": (done) => opensocial.requestPayment(payment, "https://game.example/paid", done),
    "mixi.requestUpdateStatus": (done) => mixi.requestUpdateStatus("I won", done, { [mixi.Status.Field.URL]: "/" }),
    "mixi.requestUploadMediaItem": (done) => mixi.requestUploadMediaItem(image, done),
  };
  for (const [name, call] of Object.entries(calls)) {
    let called = false;
    const item = await new Promise((resolve) => {
      const [, warnings] = warned(() => call((item) => ((called = true), resolve(item))));
      says(warnings[0], name);
      equal(called, false);
    });
    equal([item.hadError(), item.getErrorCode()], [true, opensocial.ResponseItem.Error.NOT_IMPLEMENTED]);
    says(item.getErrorMessage(), name);
    equal(item.getData()["recipientIds"], undefined);
    says(warned(() => call(undefined))[1][0], name);
  }
  equal(sent.length, 0);
});

Deno.test("objects for what is absent keep their fields", () => {
  const { Field, Type } = opensocial.MediaItem;
  const image = opensocial.newMediaItem("image/png", "https://game.example/a.png", { [Field.TYPE]: Type.IMAGE });
  equal([image.getField(Field.MIME_TYPE), image.getField("url"), image.getField("type")], ["image/png", "https://game.example/a.png", "image"]);
  const message = opensocial.newMessage("hi", { title: "Hello" });
  message.setField("title", "Bye");
  equal([message.getField("body"), message.getField("title"), message instanceof opensocial.Message], ["hi", "Bye", true]);
  equal(opensocial.newNavigationParameters({ view: "canvas" }).getField("view"), "canvas");
  equal(opensocial.newActivity({ title: "a" }).getField("title"), "a");
  equal(opensocial.newMessage("hi").getField("title"), undefined);
});

Deno.test("a batch has an error for what is absent, and the rest of it is sent", async () => {
  const sent = serve(results({ k3: { a: "1" } }));
  const names = ["newFetchActivitiesRequest", "newFetchAlbumsRequest", "newFetchMediaItemsRequest"];
  const data = await send((request) => {
    for (const name of names) request.add(request[name](VIEWER), name);
    request.add(request.newFetchPersonAppDataRequest(VIEWER, "a"), "data");
  });
  equal(params(sent).map(([method]) => method), ["appdata.get"]);
  equal(data.hadError(), true);
  for (const name of names) {
    equal([data.get(name).getErrorCode(), data.get(name).getData()], ["notImplemented", null]);
    says(data.get(name).getErrorMessage(), `opensocial.DataRequest.${name}`);
  }
  equal([data.get("data").hadError(), data.get("data").getData()], [false, { k3: { a: "1" } }]);
});

Deno.test("osapi answers 501 to what is absent, alone and in a batch, also without a token", async () => {
  const sent = serve(results({ k3: { a: "1" } }));
  const names = "activities.create activities.get albums.get http.delete http.get http.head http.post http.put " +
    "mediaItems.create mediaItems.get messages.get messages.send";
  for (const name of names.split(" ")) {
    const [service, method] = name.split(".");
    const { error } = await execute(osapi[service][method]({ userId: "@viewer" }));
    equal(error.code, 501);
    says(error.message, `osapi.${name}`);
  }
  equal(sent.length, 0);
  const batch = osapi.newBatch().add("friends", osapi.activities.get()).add("data", osapi.appdata.get());
  const answers = await execute(batch);
  equal([answers.friends.error.code, answers.data, answers.error], [501, { k3: { a: "1" } }, undefined]);
  equal(sent[0].calls.map((call) => call.method), ["appdata.get"]);
  opensocial.configure({ token: "" });
  equal((await execute(osapi.http.get({ href: "https://game.example/" }))).error.code, 501);
});

Deno.test("makeRequest answers with an error in its own form", async () => {
  const { RequestParameters, MethodType, ContentType, AuthorizationType, makeRequest } = gadgets.io;
  const options = {
    [RequestParameters.METHOD]: MethodType.POST,
    [RequestParameters.CONTENT_TYPE]: ContentType.JSON,
    [RequestParameters.AUTHORIZATION]: AuthorizationType.SIGNED,
    [RequestParameters.POST_DATA]: gadgets.io.encodeValues({ a: "1 & 2", b: "あ" }),
  };
  equal(options.POST_DATA, "a=1+%26+2&b=%E3%81%82");
  const answer = await new Promise((resolve) => warned(() => makeRequest("https://game.example/save", resolve, options)));
  equal([answer.rc, answer.data, answer.text, answer.errors.length], [501, null, "", 1]);
  says(answer.errors[0], "gadgets.io.makeRequest");
  const image = "https://game.example/a.png";
  equal(gadgets.io.getProxyUrl(image, { [gadgets.io.ProxyUrlRequestParameters.REFRESH_INTERVAL]: 60 }), image);
});

Deno.test("a URL for a proxy is safe in HTML, as a proxy's is", () => {
  const { getProxyUrl } = gadgets.io;
  for (const signs of [`" onerror="alert(1)`, `' onerror='alert(1)`, "><script>alert(1)</script>"]) {
    for (const place of ["/", "/?", "/#"]) equal(/["'<>]/.test(getProxyUrl(`https://game.example${place}${signs}`)), false);
  }
  const wrong = ["javascript:alert(1)", " java\nscript:alert(1)", "data:text/html,<b>", "https://", undefined];
  equal(wrong.map((url) => getProxyUrl(url)), wrong.map(() => ""));
});

Deno.test("a function of a container that has no callback throws NOT_IMPLEMENTED with a sentence", () => {
  const calls = {
    "gadgets.Prefs": () => new gadgets.Prefs(),
    "gadgets.MiniMessage": () => new gadgets.MiniMessage("module"),
    "gadgets.TabSet": () => new gadgets.TabSet(),
    "gadgets.skins.getProperty": () => gadgets.skins.getProperty(gadgets.skins.Property.BG_COLOR),
    "gadgets.rpc.call": () => gadgets.rpc.call(null, "resize", null, 1),
    "gadgets.rpc.register": () => gadgets.rpc.register("resize", () => {}),
    "gadgets.pubsub.publish": () => gadgets.pubsub.publish("channel", "hi"),
    "gadgets.pubsub.subscribe": () => gadgets.pubsub.subscribe("channel", () => {}),
    "gadgets.flash.embedFlash": () => gadgets.flash.embedFlash("/a.swf", "place", 10),
    "gadgets.flash.embedCachedFlash": () => gadgets.flash.embedCachedFlash("/a.swf", "place", 10),
    "gadgets.flash.getMajorVersion": () => gadgets.flash.getMajorVersion(),
    "gadgets.views.bind": () => gadgets.views.bind("/{a}", {}),
    "gadgets.views.requestNavigateTo": () => {
      gadgets.views.requestNavigateTo(gadgets.views.getSupportedViews()["profile"], { a: "1" });
    },
  };
  for (const [name, call] of Object.entries(calls)) {
    try {
      call();
      throw new Error(`${name} did not throw`);
    } catch (error) {
      says(error.message, name);
      equal(error.code, "notImplemented");
    }
  }
});

Deno.test("what a page can do without a container works", () => {
  equal(gadgets.views.getCurrentView().getName(), "canvas");
  equal([gadgets.views.getCurrentView().isOnlyVisibleGadget(), Object.keys(gadgets.views.getSupportedViews())], [true, ["canvas"]]);
  gadgets.window.adjustHeight();
  mixi.window.adjustHeight(1024);
  equal(gadgets.util.sanitizeHtml("<img src=x onerror=alert(1)>"), "&lt;img src=x onerror=alert(1)&gt;");
  const asked = ["opensocial-0.8", "osapi", "core", "dynamic-height", "views", "flash", "pubsub", "minimessage", "opensocial-0.9"];
  equal(asked.filter(gadgets.util.hasFeature), ["opensocial-0.8", "osapi", "core", "dynamic-height"]);
  equal(gadgets.util.getFeatureParameters("opensocial-0.8"), null);
  opensocial.configure({ token: null });
  equal(opensocial.hasPermission(opensocial.Permission.VIEWER), false);
  opensocial.configure({ token: "T" });
  equal(opensocial.hasPermission(opensocial.Permission.VIEWER), true);
  const { ObjectType } = opensocial.Environment;
  const environment = opensocial.getEnvironment();
  for (const type of [ObjectType.ACTIVITY, ObjectType.MEDIA_ITEM, ObjectType.MESSAGE, ObjectType.MESSAGE_TYPE]) {
    equal([type, environment.supportsField(type, "title"), environment.supportsField(type, "email")], [type, false, false]);
  }
});

Deno.test("the address of the page gives parameters, those of the query first", () => {
  const params = (search, hash) => {
    globalThis.location = { search, hash };
    return [gadgets.util.getUrlParameters(), gadgets.views.getParams()];
  };
  try {
    equal(params("?mixi_page_id=1&a=1", "#a=2&b=3"), [{ a: "1", b: "3", mixi_page_id: "1" }, {}]);
    equal(params(`?appParams=${encodeURIComponent('{"uid":"1569"}')}`, "")[1], { uid: "1569" });
    for (const wrong of ["?appParams=level", "?appParams=null", "?appParams="]) equal(params(wrong, "")[1], {});
  } finally {
    delete globalThis.location;
  }
});

Deno.test("mixi.auth asks the server for scopes, and other sites open in a new window", () => {
  const opened = [];
  globalThis.open = (...given) => opened.push(given);
  opensocial.configure({ baseUrl: "https://social.example/" });
  mixi.init({ appId: "6d1f0c2ab4e79853", relayUrl: "https://game.example/relay.html" });
  mixi.auth({ scope: "mixi_apps2 r_profile", state: "xyz" });
  mixi.util.requestExternalNavigateTo("https://shop.example/?a=1", mixi.util.ExternalSiteType.PAYMENT);
  mixi.util.requestExternalNavigateTo("javascript:alert(1)");
  const query = "client_id=6d1f0c2ab4e79853&response_type=code&scope=mixi_apps2+r_profile&state=xyz";
  equal(opened, [
    [`https://social.example/connect_authorize.pl?${query}`, "_top"],
    ["https://shop.example/?a=1", "_blank", "noopener"],
  ]);
});
