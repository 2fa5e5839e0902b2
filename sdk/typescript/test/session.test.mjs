// Tokens: authorization with PKCE, and one refresh for each expiry.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, test } from "node:test";
import * as client from "../dist/index.js";
import { json, listen, refuse } from "./standin.mjs";

const { Authorization, Engawa, memory, webStorage } = client;
const BACK = "https://game.example/back";
const open = [];
after(() => Promise.all(open.map((server) => server.close())));

/** Start a server of tokens that live `seconds`; a refresh token is used up by its first use. */
async function issuer({ seconds = 900, delay = 0, lose = () => false } = {}) {
  const state = { refreshes: 0, calls: 0, forms: [], valid: new Map([["r0", Infinity]]), successor: new Map(), refused: 0 };
  const server = await listen(async (request, body, response) => {
    if (request.url !== "/2/token") {
      state.calls++;
      const token = request.headers.authorization?.slice("Bearer ".length);
      if ((state.valid.get(token) ?? 0) > Date.now()) return json(response, 200, { entry: [{ id: "me", data: {} }] });
      state.refused++;
      return refuse(response, 401, "invalid_token");
    }
    const form = Object.fromEntries(new URLSearchParams(String(body)));
    state.forms.push(form);
    await new Promise((done) => setTimeout(done, delay));
    if (form.grant_type === "server_state") return json(response, 200, { server_state: "s" });
    const old = form.refresh_token;
    // The same successor for a while, unless it was used.
    const again = state.successor.get(old);
    if (form.grant_type === "refresh_token" && !state.valid.has(old) && !(again && state.valid.has(again))) {
      return refuse(response, 400, "invalid_grant");
    }
    const number = ++state.refreshes;
    const refresh = again ?? `r${number}`;
    state.valid.delete(old);
    state.successor.set(old, refresh);
    state.valid.set(refresh, Infinity);
    state.valid.set(`a${number}`, Date.now() + seconds * 1000);
    if (lose()) return response.destroy();
    json(response, 200, { access_token: `a${number}`, refresh_token: refresh, expires_in: seconds, scope: "mixi_apps2" });
  });
  open.push(server);
  const authorization = (options) => new Authorization(server.url, { clientId: "c", redirectUri: BACK, ...options });
  return { ...server, state, authorization };
}

/** Return tokens that must be renewed. */
const stale = () => ({ access: "a0", refresh: "r0", renewAt: 0, scope: "mixi_apps2" });

test("the authorization has PKCE and state, and its answer is checked", async () => {
  const server = await issuer();
  const authorization = server.authorization();
  const pending = await authorization.authorizationUrl({ scope: ["mixi_apps2", "r_profile"], owner: "o", lang: "ja" });
  const url = new URL(pending.url);
  assert.equal(url.pathname, "/connect_authorize.pl");
  const asked = Object.fromEntries(url.searchParams);
  assert.deepEqual(asked, {
    client_id: "c",
    response_type: "code",
    scope: "mixi_apps2 r_profile",
    state: pending.state,
    redirect_uri: BACK,
    code_challenge: createHash("sha256").update(pending.codeVerifier).digest("base64url"),
    code_challenge_method: "S256",
    owner: "o",
    lang: "ja",
  });
  assert.match(pending.codeVerifier, /^[A-Za-z0-9_-]{43}$/);
  assert.notEqual((await authorization.authorizationUrl({ scope: [] })).state, pending.state);

  const back = (query) => `${BACK}?${new URLSearchParams({ state: pending.state, iss: server.url, ...query })}`;
  const tokens = await authorization.exchange(back({ code: "x" }), pending);
  assert.equal(tokens.access, "a1");
  assert.ok(tokens.renewAt > Date.now() + 850_000 && tokens.renewAt < Date.now() + 900_000);
  assert.deepEqual(server.state.forms, [
    {
      grant_type: "authorization_code",
      code: "x",
      redirect_uri: BACK,
      code_verifier: pending.codeVerifier,
      client_id: "c",
    },
  ]);
  const refusals = [
    [back({ error: "access_denied" }), pending, client.AccessDenied],
    [back({ code: "x", state: "another" }), pending, client.InvalidRequest],
    [back({ code: "x", iss: "https://evil.example" }), pending, client.InvalidRequest],
    [`${BACK}?code=x&state=${pending.state}`, pending, client.InvalidRequest],
    [`${BACK}?code=x`, undefined, client.InvalidRequest],
  ];
  for (const [returned, kept, kind] of refusals) await assert.rejects(authorization.exchange(returned, kept), kind);
  assert.equal(server.state.forms.length, 1);
});

test("a confidential app sends its secret", async () => {
  const server = await issuer();
  const authorization = server.authorization({ clientSecret: "s" });
  assert.equal(await authorization.serverState(), "s");
  await authorization.clientCredentials(["r_page"]);
  assert.deepEqual(server.state.forms, [
    { grant_type: "server_state", client_id: "c", client_secret: "s" },
    { grant_type: "client_credentials", scope: "r_page", client_id: "c", client_secret: "s" },
  ]);
  const engawa = new Engawa(server.url, { token: authorization.appSession().token });
  await Promise.all(Array.from({ length: 20 }, () => engawa.appData.read()));
  await engawa.appData.read();
  assert.equal(server.state.forms.length, 3);
});

test("a hundred tasks make one refresh", async () => {
  const server = await issuer({ delay: 50 });
  const store = memory(stale());
  const session = server.authorization().session(store);
  const engawa = new Engawa(server.url, { token: session.token });
  await Promise.all(Array.from({ length: 100 }, () => engawa.appData.read()));
  assert.equal(server.state.refreshes, 1);
  assert.equal((await store.get()).refresh, "r1");
  // The server refuses a token early, for all tasks at once.
  server.state.valid.delete("a1");
  await Promise.all(Array.from({ length: 100 }, () => engawa.appData.read()));
  assert.equal(server.state.refreshes, 2);
});

test("a refresh whose answer was lost is sent again", async () => {
  let lost = 0;
  const server = await issuer({ lose: () => lost++ === 0 });
  const store = memory(stale());
  await server.authorization().session(store).token();
  assert.equal(server.state.refreshes, 2);
  assert.equal((await store.get()).refresh, "r1");
});

test("a refused refresh signs out, once for all who wait; other failures do not", async () => {
  const server = await issuer({ delay: 20 });
  server.state.valid.clear();
  const store = memory(stale());
  const session = server.authorization().session(store);
  const results = await Promise.allSettled(Array.from({ length: 10 }, () => session.token()));
  assert.ok(results.every(({ reason }) => reason instanceof client.InvalidGrant));
  assert.equal(server.state.forms.length, 1);
  assert.equal(await store.get(), undefined);
  await assert.rejects(session.token(), { error: "invalid_grant", description: /no user has signed in/ });

  await server.close();
  const kept = memory(stale());
  const authorization = server.authorization({ budget: { attempts: 1 } });
  await assert.rejects(authorization.session(kept).token(), client.Unreachable);
  assert.equal((await kept.get()).refresh, "r0");
});

/** A localStorage, and Web Locks over it, as ten tabs of one origin have them. */
function origin({ locking }) {
  const values = new Map();
  const storage = {
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => values.set(key, value),
    removeItem: (key) => values.delete(key),
  };
  let turn = Promise.resolve();
  const request = (_, work) => (turn = turn.then(work, work));
  return { storage, locks: locking ? { request } : undefined };
}

for (const locking of [true, false]) {
  test(`ten tabs ${locking ? "with" : "without"} locks stay signed in over ten expiries`, async () => {
    const seconds = 0.6;
    const server = await issuer({ seconds, delay: 10 });
    const { storage, locks } = origin({ locking });
    const { navigator } = globalThis;
    Object.defineProperty(globalThis, "navigator", { value: { locks }, configurable: true });
    const stores = Array.from({ length: 10 }, () => webStorage("tokens", storage));
    Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
    stores[0].set(stale());
    const end = Date.now() + seconds * 10_000;
    let calls = 0;
    await Promise.all(
      stores.map(async (store) => {
        const engawa = new Engawa(server.url, { token: server.authorization().session(store).token });
        for (; Date.now() < end; calls++) {
          await engawa.appData.read();
          await new Promise((done) => setTimeout(done, Math.random() * 30));
        }
      }),
    );
    const { refreshes, refused } = server.state;
    console.log(`# ${calls} calls, ${refreshes} refreshes, ${refused} refused access tokens`);
    assert.ok(calls > 500);
    if (locking) assert.ok(refreshes >= 9 && refreshes <= 13, `${refreshes}`);
    else assert.ok(refreshes >= 9 && refreshes <= 130, `${refreshes}`);
  });
}
