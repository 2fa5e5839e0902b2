// A stand-in for Engawa, as far as retries need it: idempotency, versions, changes, effects that can be counted.

import { createHash } from "node:crypto";
import { createServer } from "node:http";

/** Listen on a free port of this machine; `answer(request, body, response)` answers. Return the URL and `close`. */
export async function listen(answer) {
  const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => answer(request, Buffer.concat(chunks), response));
  });
  server.keepAliveTimeout = 60_000;
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: () => {
      server.closeAllConnections();
      return new Promise((done) => server.close(done));
    },
  };
}

/** Answer with JSON. */
export function json(response, status, data, headers = {}) {
  response.writeHead(status, { "Content-Type": "application/json; charset=utf-8", "X-Request-Id": "r-1", ...headers });
  response.end(JSON.stringify(data));
}

/** Answer with an error of the documented form. */
export function refuse(response, status, error, headers = {}) {
  json(response, status, { error, error_description: `It is ${error}` }, headers);
}

/** The state of one platform: data of one user, and comments in the order of their effects. */
export class Platform {
  data = {};
  version = 1;
  comments = [];
  writes = 0;
  #answers = new Map();

  /** Carry out a request. Return its status, its data and its headers. */
  carryOut(request, body) {
    const url = new URL(request.url, "http://stand-in");
    const key = request.headers["idempotency-key"];
    const content = createHash("sha256").update(request.method).update(request.url).update(body).digest("hex");
    if (key !== undefined) {
      const before = this.#answers.get(key);
      if (before) {
        return before.content === content ? before.answer : [422, { error: "idempotency_conflict", error_description: key }];
      }
    }
    const answer = this.#answer(request, url, body);
    if (key !== undefined && answer[0] < 300) this.#answers.set(key, { content, answer });
    return answer;
  }

  #answer(request, url, body) {
    if (url.pathname.endsWith("/comments")) {
      this.comments.unshift({ id: `c${this.comments.length}`, comment: JSON.parse(body).comment });
      return [201, { id: this.comments[0].id }];
    }
    const etag = `"${this.version}"`;
    const { method } = request;
    if (method === "GET") {
      const names = url.searchParams.get("fields")?.split(",") ?? Object.keys(this.data);
      const data = Object.fromEntries(names.filter((name) => name in this.data).map((name) => [name, this.data[name]]));
      return [200, { entry: [{ id: "me", data }] }, { ETag: etag }];
    }
    if ((request.headers["if-match"] ?? etag) !== etag) {
      return [412, { error: "precondition_failed", error_description: "changed" }, { ETag: etag }];
    }
    const changes = JSON.parse(body);
    for (const [name, change] of Object.entries(changes)) {
      if (typeof change === "string") this.data[name] = change;
      else if (change.delete) delete this.data[name];
      else if (change.add) this.data[name] = String(BigInt(this.data[name] ?? "0") + BigInt(change.add));
      else this.data[name] = change.set;
    }
    this.version++;
    this.writes++;
    const headers = {
      ETag: `"${this.version}"`,
      "X-RateLimit-Limit": "180",
      "X-RateLimit-Remaining": "179",
      "X-RateLimit-Reset": "1",
    };
    if (method !== "PATCH") return [200, { response_code: 200 }, headers];
    const named = Object.keys(changes).filter((name) => name in this.data);
    return [200, { entry: [{ id: "me", data: Object.fromEntries(named.map((name) => [name, this.data[name]])) }] }, headers];
  }
}
