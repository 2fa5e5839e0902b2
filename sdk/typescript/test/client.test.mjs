// The client against stand-ins: retries, budgets, errors, lists, large answers.

import assert from "node:assert/strict";
import { writeFile, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import * as client from "../dist/index.js";
import { json, listen, Platform, refuse } from "./standin.mjs";

const { ALL, AppData, Engawa, EngawaError, NotEngawa, Unreachable } = client;
const open = [];
after(() => Promise.all(open.map((server) => server.close())));

/** Start a stand-in. `answers` are taken in turn, the last one for ever; what it received is in `received`. */
async function stand(...answers) {
  const received = [];
  const server = await listen((request, body, response) => {
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    received.push({ ...request, method: request.method, url: request.url, headers: request.headers, body, at: performance.now() });
    answer(response, request, body);
  });
  open.push(server);
  return { ...server, received, engawa: (options) => new Engawa(server.url, { token: "t", ...options }) };
}

const refusing = (status, error, headers) => (response) => refuse(response, status, error, headers);
const giving = (data, headers, status = 200) => (response) => json(response, status, data, headers);
const lost = (response) => response.destroy();
const stored = giving({ response_code: 200 }, { ETag: '"2"' });
const text = (status, body, type = "text/html") => (response) => response.writeHead(status, { "Content-Type": type }).end(body);

/** Return what a promise throws. */
async function failureOf(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  assert.fail("nothing was thrown");
}

test("Retry-After in seconds is obeyed, and never too early", async () => {
  for (const status of [429, 503]) {
    const server = await stand(refusing(status, "service_unavailable", { "Retry-After": "1" }), stored);
    assert.equal((await server.engawa().appData.write({ a: "1" })).etag, '"2"');
    const [first, second] = server.received;
    assert.ok(second.at - first.at >= 1000, `${second.at - first.at} ms`);
    assert.equal(String(second.body), '{"a":"1"}');
  }
});

test("Retry-After as a date is measured by the server's clock", async () => {
  const date = (seconds) => new Date(Date.parse("2030-01-01") + seconds * 1000).toUTCString();
  const server = await stand(refusing(503, "service_unavailable", { "Retry-After": date(2), Date: date(0) }), stored);
  await server.engawa().appData.write({ a: "1" });
  const [first, second] = server.received;
  assert.ok(second.at - first.at >= 2000 && second.at - first.at < 4000, `${second.at - first.at} ms`);
});

test("a wait that exceeds the budget is not begun", async () => {
  const server = await stand(refusing(503, "service_unavailable", { "Retry-After": "180" }));
  const begun = performance.now();
  const error = await failureOf(server.engawa().appData.write({ a: "1" }));
  assert.ok(error instanceof client.ServiceUnavailable);
  assert.equal(error.retryAfter, 180);
  assert.ok(performance.now() - begun < 1000);
  assert.equal(server.received.length, 1);
});

test("the budget bounds attempts and the time of one attempt", async () => {
  const server = await stand(refusing(502, "service_unavailable"));
  const error = await failureOf(server.engawa({ budget: { attempts: 2 } }).people.me());
  assert.equal(error.status, 502);
  assert.equal(server.received.length, 2);

  const silent = await stand(() => {}, giving({ entry: { id: "me" }, startIndex: 0, totalResults: 1 }));
  assert.equal((await silent.engawa({ budget: { attemptSeconds: 0.2 } }).people.me()).id, "me");
  const unanswered = await stand(() => {});
  const late = await failureOf(unanswered.engawa({ budget: { seconds: 0.3 } }).people.me());
  assert.ok(late instanceof Unreachable);
  assert.match(late.message, /cannot be reached: no answer in time$/);
});

test("a signal ends a request and a wait with its reason", async () => {
  const server = await stand(refusing(503, "service_unavailable", { "Retry-After": "20" }));
  for (const at of [0, 100]) {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error("enough")), at);
    const error = await failureOf(server.engawa().appData.read({ signal: controller.signal }));
    assert.equal(error.message, "enough");
  }
  assert.equal((await failureOf(server.engawa().appData.read({ signal: AbortSignal.abort("before") }))), "before");
});

test("what the server may have done is not sent again unless that is safe", async () => {
  const server = await stand(lost);
  const authorization = new client.Authorization(server.url, { clientId: "c", redirectUri: "https://game.example/back" });
  const pending = await authorization.authorizationUrl({ scope: ["mixi_apps2"] });
  const back = `https://game.example/back?code=c&state=${pending.state}&iss=${encodeURIComponent(server.url)}`;
  const error = await failureOf(authorization.exchange(back, pending));
  assert.ok(error instanceof Unreachable && error.uncertain);
  assert.equal(server.received.length, 1);

  const call = { method: "appdata.patch", params: { userId: "@me", changes: {} } };
  await failureOf(server.engawa().rpc([{ method: "people.get" }, call]));
  assert.equal(server.received.length, 2);
});

test("a 500 is not sent again, a lost answer is", async () => {
  const server = await stand(refusing(500, "internal_error"));
  const error = await failureOf(server.engawa().appData.read());
  assert.ok(error instanceof client.InternalError && error.uncertain);
  assert.equal(server.received.length, 1);
  const unlucky = await stand(lost, lost, giving({ entry: [{ id: "me", data: {} }] }));
  assert.deepEqual((await unlucky.engawa().appData.read()).data, {});
});

test("posts have an Idempotency-Key of their own, the same for all attempts", async () => {
  const server = await stand(lost, refusing(409, "idempotency_in_progress", { "Retry-After": "0" }), giving({ id: "1" }, {}, 201));
  const page = server.engawa().page("1");
  assert.equal(await page.postComment("http://x.example/1", "Hi"), "1");
  await page.postComment("http://x.example/1", "Hi");
  await page.postComment("http://x.example/1", "Hi", { key: "mine" });
  const keys = server.received.map(({ headers }) => headers["idempotency-key"]);
  assert.equal(new Set(keys.slice(0, 3)).size, 1);
  assert.match(keys[0], /^[!-~]{20,255}$/);
  assert.notEqual(keys[3], keys[0]);
  assert.equal(keys[4], "mine");
});

test("a deletion whose answer was lost has succeeded if there is nothing left", async () => {
  const server = await stand(lost, refusing(404, "not_found"));
  await server.engawa().page("1").deleteFeed("http://x.example/1");
  assert.equal(server.received.length, 2);
  const error = await failureOf(server.engawa().page("1").deleteFeed("http://x.example/1"));
  assert.ok(error instanceof client.NotFound && !error.uncertain);
});

test("a 401 asks once for another token", async () => {
  const refusedThenDone = () => stand(refusing(401, "invalid_token"), stored);
  const server = await refusedThenDone();
  const asked = [];
  const token = (refused) => (asked.push(refused), refused ? "fresh" : "stale");
  await server.engawa({ token }).appData.write({ a: "1" });
  assert.deepEqual(asked, [undefined, "stale"]);
  assert.deepEqual(server.received.map(({ headers }) => headers.authorization), ["Bearer stale", "Bearer fresh"]);
  const fixed = await refusedThenDone();
  assert.ok((await failureOf(fixed.engawa().appData.write({ a: "1" }))) instanceof client.InvalidToken);
  assert.equal(fixed.received.length, 1);
  const never = await stand(refusing(401, "invalid_token"));
  await failureOf(never.engawa({ token }).appData.write({ a: "1" }));
  assert.equal(never.received.length, 2);
});

test("each documented word has its class, an unknown one none", async () => {
  const classes = Object.entries(client).filter(([, made]) => made?.prototype instanceof EngawaError);
  assert.ok(classes.length > 30);
  for (const [name, made] of classes) {
    const word = name.replace(/[A-Z]/g, (letter, at) => `${at ? "_" : ""}${letter.toLowerCase()}`);
    const server = await stand(refusing(400, word));
    const error = await failureOf(server.engawa({ budget: { attempts: 1 } }).appData.read());
    assert.ok(error instanceof made && error instanceof Error, name);
    assert.deepEqual(
      { ...error },
      { ...error, name, status: 400, error: word, description: `It is ${word}`, requestId: "r-1", uncertain: false },
    );
    assert.equal(error.message, `It is ${word}`);
  }
  const server = await stand(refusing(418, "constructor"));
  const error = await failureOf(server.engawa().appData.read());
  assert.equal(error.constructor, EngawaError);
  assert.equal(error.error, "constructor");
});

test("a server that is none is named", async () => {
  const cases = [
    [text(200, "<html>Welcome"), "gave 200 with no JSON but text/html"],
    [text(404, "<html>Not here"), "gave 404 with no JSON but text/html"],
    [giving({ hello: "world" }), "gave 200 with JSON of another form"],
    [giving({ status: 404, error: "Not Found" }, {}, 404), "gave 404 with JSON of another form"],
    [giving(null), "gave 200 with no JSON but application/json; charset=utf-8"],
    [giving({ error_description: "x" }, {}, 400), "gave 400 with JSON of another form"],
    [giving({ error: null, error_description: "x" }, {}, 400), "gave 400 with JSON of another form"],
    [(response) => response.writeHead(204).end(), "gave 204 with no JSON but nothing"],
  ];
  for (const [answer, said] of cases) {
    const server = await stand(answer);
    const error = await failureOf(server.engawa({ budget: { attempts: 1 } }).appData.read());
    assert.ok(error instanceof NotEngawa, said);
    assert.equal(error.message, `${server.url} did not answer as an Engawa server: GET /2/apps/appdata/%40me/@self ${said}`);
  }
  const gone = await stand(stored);
  await gone.close();
  const error = await failureOf(new AppData(gone.url, { budget: { attempts: 1 } }).read());
  assert.ok(error instanceof Unreachable);
  assert.match(error.message, new RegExp(`^${gone.url} cannot be reached: connect ECONNREFUSED`));
  assert.throws(() => new Engawa("social.example"), /Invalid URL/);
});

test("a part of a path cannot change the path", async () => {
  const server = await stand(refusing(404, "not_found"));
  const engawa = server.engawa();
  for (const part of ["", ".", ".."]) {
    await failureOf(engawa.appData.read({ of: part }));
    await failureOf(engawa.people.get(part));
    await failureOf(engawa.page(part).favorites("u"));
    await failureOf(engawa.page("1").deleteComment("u", part));
    await failureOf(engawa.page(part).deleteComment("u", part));
  }
  const paths = new Set(server.received.map(({ url }) => url.split("?")[0]));
  assert.deepEqual([...paths], [
    "/2/apps/appdata/-/@self",
    "/2/people/-/@self",
    "/2/pages/-/favorites",
    "/2/pages/1/comments/-",
    "/2/pages/-/comments/-",
  ]);
});

test("a secret is not sent on to another server", async () => {
  const other = await stand(giving({ access_token: "a", expires_in: 900 }));
  for (const status of [301, 303, 307, 308]) {
    const server = await stand((response) => response.writeHead(status, { Location: `${other.url}/2/token` }).end());
    const options = { clientId: "c", clientSecret: "secret", budget: { attempts: 1 } };
    const error = await failureOf(new client.Authorization(server.url, options).clientCredentials());
    assert.ok(error instanceof Unreachable);
  }
  assert.deepEqual(other.received, []);
});

test("a post without a key is sent once", async () => {
  const server = await stand(lost);
  await failureOf(server.engawa().page("1").postComment("u", "x", { key: "" }));
  assert.equal(server.received.length, 1);
});

test("names that got lost never delete everything", async () => {
  const server = await stand(stored);
  const { appData, openSocial } = server.engawa();
  for (const names of [[], [""], ["*"], ["@all"], ["a", "*"], ["a,b"]]) {
    await appData.delete(names);
    await openSocial.delete(names);
  }
  assert.deepEqual([...new Set(server.received.map(({ url }) => url.split("?")[1]))], ["fields=%2C"]);
  await appData.delete(ALL);
  await appData.delete(["a", "b"]);
  assert.deepEqual(server.received.slice(-2).map(({ url }) => url.split("?")[1]), ["fields=*", "fields=a%2Cb"]);
});

test("a large answer is read without the token, and has no version", async () => {
  const file = await stand(giving({ entry: [{ id: "me", data: { a: "1" } }] }, { ETag: '"of-the-file"' }));
  const server = await stand((response) => response.writeHead(303, { Location: `${file.url}/f`, ETag: '"1"' }).end("{}"));
  const read = await server.engawa().appData.read();
  assert.deepEqual(read, { id: "me", data: { a: "1" }, etag: undefined });
  assert.equal(server.received[0].headers.authorization, "Bearer t");
  assert.equal(file.received[0].headers.authorization, undefined);
});

test("update reads, changes and writes what differs, and begins again after a 412", async () => {
  const platform = new Platform();
  platform.data = { coins: "5", old: "x", other: "y" };
  let others = 2;
  const server = await stand((response, request, body) => {
    // Someone else writes before the first two writes.
    if (request.method === "PATCH" && others-- > 0) {
      platform.data.coins = String(Number(platform.data.coins) + 10);
      platform.version++;
    }
    json(response, ...platform.carryOut(request, body));
  });
  const { appData } = server.engawa();
  const result = await appData.update(({ old, ...data }) => ({ ...data, coins: String(Number(data.coins) + 1) }));
  assert.deepEqual(platform.data, { coins: "26", other: "y" });
  assert.deepEqual(result, { id: "me", data: { coins: "26", other: "y" }, etag: `"${platform.version}"` });
  assert.deepEqual(JSON.parse(server.received.at(-1).body), { old: { delete: true }, coins: { set: "26" } });
  const before = platform.writes;
  await appData.update((data) => data);
  await appData.update(() => undefined);
  assert.equal(platform.writes, before);
  others = 100;
  const error = await failureOf(appData.update((data) => ({ ...data, coins: "0" }), { times: 3 }));
  assert.ok(error instanceof client.PreconditionFailed);
});

test("update is exact although answers get lost", async () => {
  const platform = new Platform();
  let count = 0;
  const server = await stand((response, request, body) => {
    const answer = platform.carryOut(request, body);
    if (request.method === "PATCH" && count++ % 2 === 0) response.destroy();
    else json(response, ...answer);
  });
  const { appData } = server.engawa();
  for (let time = 0; time < 5; time++) await appData.update(({ n = "0" }) => ({ n: String(Number(n) + 1) }));
  assert.equal(platform.data.n, "5");
  assert.deepEqual((await appData.patch({ n: { add: "2" }, m: { add: "1" } })).data, { n: "7", m: "1" });
  assert.equal(platform.data.n, "7");
  // Without a key it is not sent again.
  const keys = Array.from({ length: 98 }, (_, number) => `k${number}`);
  const many = Object.fromEntries(keys.map((key) => [key, { set: "x" }]));
  const cases = [
    [{ n: { add: "1" } }, { key: "" }],
    [{ n: { add: "1" }, ...many }],
    [{ n: { add: "1" }, long: { set: "花".repeat(100_000) } }],
  ];
  for (const [changes, options] of cases) {
    count = 0;
    const before = Number(platform.data.n);
    const error = await failureOf(appData.patch(changes, options));
    assert.ok(error instanceof Unreachable && error.uncertain);
    assert.equal(platform.data.n, String(before + 1));
  }
  count = 0;
  await appData.patch(many);
  assert.deepEqual(
    server.received.slice(-5).map(({ headers }) => headers["idempotency-key"] !== undefined),
    [false, false, false, true, true],
  );
});

test("update of large data takes the version first", async () => {
  const platform = new Platform();
  platform.data = { big: "x", n: "1" };
  let changed = false;
  const file = await stand((response, request, body) => json(response, ...platform.carryOut(request, body).slice(0, 2)));
  const server = await stand((response, request, body) => {
    if (request.method === "GET" && !request.url.includes("fields=")) {
      response.writeHead(303, { Location: `${file.url}/2/apps/appdata/@me/@self` }).end("{}");
      return;
    }
    json(response, ...platform.carryOut(request, body));
    if (request.method === "GET" && !changed) {
      // Right after the version was read, someone else writes.
      changed = true;
      platform.data.n = "10";
      platform.version++;
    }
  });
  await server.engawa().appData.update(({ n, ...data }) => ({ ...data, n: String(Number(n) + 1) }));
  assert.deepEqual(platform.data, { big: "x", n: "11" });
});

/** A list of comments that the server cuts into parts of two, with cursors that name an entry. */
const cut = (entries) => (response, request) => {
  const query = new URL(request.url, "http://x").searchParams;
  const from = query.has("cursor") ? entries.findIndex(({ id }) => id < query.get("cursor")) : 0;
  const entry = from < 0 ? [] : entries.slice(from, from + 2);
  const more = from >= 0 && from + 2 < entries.length;
  json(response, 200, { entry, itemsPerPage: entry.length, totalResults: entries.length, ...(more && { nextCursor: entry.at(-1).id }) });
};

test("lists go on where they stopped", async () => {
  const entries = ["7", "6", "5", "4", "3", "2", "1"].map((id) => ({ id }));
  const ids = (list) => list.map(({ id }) => id).join("");
  const server = await stand(cut(entries));
  const page = server.engawa().page("1");
  const comments = (cursor) => page.comments("http://x.example/1", { cursor });
  const whole = comments();
  assert.equal(whole.cursor, undefined);
  assert.equal(ids(await whole.all()), "7654321");
  assert.equal(whole.total, 7);
  for (let stop = 1; stop <= 7; stop++) {
    const list = comments();
    const first = [];
    for await (const each of list) {
      first.push(each);
      if (first.length === stop) break;
    }
    const rest = list.cursor === undefined ? [] : await comments(list.cursor).all();
    assert.equal(ids([...first, ...rest]), "7654321");
    // The same list also goes on.
    assert.equal(ids([...first, ...(await list.all())]), "7654321");
  }
  const list = comments();
  for await (const each of list) if (each.id === "4") break;
  entries.unshift({ id: "8" });
  entries.splice(4, 1);
  assert.equal(ids(await comments(list.cursor).all()), "5321", "the entry is gone: its part comes again without it");
});

test("friends go on where they stopped", async () => {
  const people = Array.from({ length: 5 }, (_, n) => ({ id: `p${n}` }));
  const server = await stand((response, request) => {
    const query = new URL(request.url, "http://x").searchParams;
    const [from, count] = [Number(query.get("startIndex")), Number(query.get("count"))];
    const entry = people.slice(from, from + count);
    json(response, 200, { entry, startIndex: from, itemsPerPage: entry.length, totalResults: people.length });
  });
  const { people: api } = server.engawa();
  const list = api.friends({ count: 2, fields: ["id", "displayName"] });
  for await (const each of list) if (each.id === "p2") break;
  assert.deepEqual((await api.friends({ count: 2, cursor: list.cursor }).all()).map(({ id }) => id), ["p3", "p4"]);
  assert.ok(server.received[0].url.includes("fields=id%2CdisplayName"));
});

test("an image is a path, bytes or a Blob", async () => {
  const server = await stand(giving({ contentUri: "http://x.example/1" }, {}, 201));
  const path = join(await mkdtemp(join(tmpdir(), "engawa-")), "picture.png");
  const bytes = Uint8Array.of(137, 80, 78, 71);
  await writeFile(path, bytes);
  for (const image of [path, new URL(`file://${path}`), bytes, bytes.buffer, new Blob([bytes])]) {
    assert.equal(await server.engawa().page("1").postFeed({ title: "花", image }), "http://x.example/1");
    const { headers, body } = server.received.at(-1);
    const form = await new Response(body, { headers: { "Content-Type": headers["content-type"] } }).formData();
    assert.deepEqual([...form.keys()], ["request", "image1"]);
    assert.deepEqual(JSON.parse(await form.get("request").text()), { title: "花" });
    assert.deepEqual(new Uint8Array(await form.get("image1").arrayBuffer()), bytes);
  }
});

test("a refused body of /rpc is an error, refused calls are answers", async () => {
  const refused = { jsonrpc: "2.0", id: null, error: { code: 400, message: "Too many requests (max=100)" } };
  const server = await stand(giving(refused, {}, 400), giving([refused]));
  const error = await failureOf(server.engawa().rpc([]));
  assert.ok(error instanceof client.BadRequest);
  assert.equal(error.description, "Too many requests (max=100)");
  assert.deepEqual(await server.engawa().rpc([{ method: "people.get" }]), [refused]);
});

test("a certificate is asked for without a token", async () => {
  const pem = "-----BEGIN CERTIFICATE-----\nx\n";
  const server = await stand(text(200, pem, "application/x-pem-file"), text(200, "<html>"));
  assert.equal(await server.engawa().certificate(), pem);
  assert.ok((await failureOf(server.engawa().certificate("a/b"))) instanceof NotEngawa);
  assert.deepEqual(server.received.map(({ url, headers }) => [url, headers.authorization]), [
    ["/launch/current.pem", undefined],
    ["/launch/a%2Fb", undefined],
  ]);
});
