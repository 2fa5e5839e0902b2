// `node test/chaos.mjs [writes] [plan]`: writes through a server that answers 429 and 503, resets connections and loses
// answers. Prints the figures as JSON; fails if a write is doubled or lost, or if a client comes too early.
//
// Without a plan, the server is a stand-in in this process. A plan, as JSON, names a platform: {"baseUrl", "page",
// "contentUri", "tokens"}, and the requests go there through a proxy.

import assert from "node:assert/strict";
import { request as send } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { Engawa } from "../dist/index.js";
import { json, listen, Platform, refuse } from "./standin.mjs";

const writes = Number(process.argv[2] ?? 10_000);
const plan = process.argv[3] && JSON.parse(process.argv[3]);
const AT_ONCE = plan ? 8 : 400;

const figures = { writes, requests: 0, 429: 0, 503: 0, 502: 0, reset: 0, lost: 0, early: 0 };
/** When a request, by its key, may come again, by the Retry-After that it got. */
const notBefore = new Map();
const attempts = new Map();
const platform = new Platform();

const server = await listen(async (request, body, response) => {
  figures.requests++;
  const key = request.headers["idempotency-key"];
  const early = (notBefore.get(key) ?? 0) - performance.now();
  if (early > 0) figures.early = Math.max(figures.early, Math.ceil(early));
  // Nothing fails five times, so that the run ends soon.
  attempts.set(key, (attempts.get(key) ?? 0) + 1);
  const dice = attempts.get(key) > 4 ? 1 : Math.random();
  const later = (status, seconds, value) => {
    figures[status]++;
    notBefore.set(key, performance.now() + seconds * 1000);
    refuse(response, status, "service_unavailable", { "Retry-After": value });
  };
  // Before anything is done.
  if (dice < 0.04) return later(429, 1, "1");
  if (dice < 0.06) return later(503, 1, "1");
  if (dice < 0.08) return later(503, 0, "0");
  if (dice < 0.12) return figures.reset++, request.socket.resetAndDestroy();
  const [status, answer, headers] = plan ? await forward(request, body) : platform.carryOut(request, body);
  // Afterwards.
  if (dice < 0.16) return figures.lost++, response.destroy();
  if (dice < 0.18) return figures[502]++, refuse(response, 502, "service_unavailable");
  if (dice < 0.2) {
    // Lost in the middle of the answer.
    figures.lost++;
    response.writeHead(status, { "Content-Type": "application/json", "Content-Length": 1000 }).write("{");
    return response.destroy();
  }
  json(response, status, answer, headers);
});

function forward(request, body) {
  return new Promise((done, fail) => {
    const { host, connection, "transfer-encoding": _, ...headers } = request.headers;
    const url = new URL(request.url, plan.baseUrl);
    const sent = send(url, { method: request.method, headers: { ...headers, "content-length": body.length } }, async (answer) => {
      const chunks = await answer.toArray();
      done([answer.statusCode, JSON.parse(Buffer.concat(chunks)), { "Retry-After": answer.headers["retry-after"] ?? "0" }]);
    });
    sent.on("error", fail).end(body);
  });
}

const tokens = plan?.tokens ?? ["t"];
const budget = { attempts: 50, seconds: 300, attemptSeconds: 100 };
const clients = tokens.map((token) => new Engawa(server.url, { token, budget }));
const contentUri = plan?.contentUri ?? "http://game.example/1";
const run = `${Date.now()}`;
const counter = `chaos_${run}`;
const begun = performance.now();

// Half of the writes are comments, half of them add to a number.
let next = 0;
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let number = next++; number < writes; number = next++) {
      const client = clients[(number >> 1) % clients.length];
      if (number % 2) await client.page(plan?.page ?? "1").postComment(contentUri, `${run} ${number}`);
      else await client.appData.patch({ [counter]: { add: "1" } });
    }
  }),
);
figures.seconds = Math.round((performance.now() - begun) / 100) / 10;

// Counted without the chaos.
let comments = platform.comments;
let sum = Number(platform.data[counter]);
if (plan) {
  const direct = tokens.map((token) => new Engawa(plan.baseUrl, { token }));
  comments = await direct[0].page(plan.page).comments(contentUri).all();
  const read = await Promise.all(direct.map((each) => each.appData.read({ fields: [counter] })));
  sum = read.reduce((total, { data }) => total + Number(data[counter] ?? 0), 0);
}
const texts = comments.map(({ comment }) => comment).filter((text) => text.startsWith(run));
const wanted = Array.from({ length: writes >> 1 }, (_, number) => `${run} ${number * 2 + 1}`);
figures.doubled = texts.length - new Set(texts).size + Math.max(0, sum - Math.ceil(writes / 2));
figures.missing = wanted.length - new Set(texts).size + Math.max(0, Math.ceil(writes / 2) - sum);
console.log(JSON.stringify(figures));
assert.deepEqual([figures.doubled, figures.missing, figures.early], [0, 0, 0]);
for (const kind of ["429", "503", "502", "reset", "lost"]) assert.ok(figures[kind] > 0, `no ${kind}`);
await sleep(0);
await server.close();
