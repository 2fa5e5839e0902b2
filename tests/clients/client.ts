// Writes, reads, posts a feed with an image, comments, and lists, by openapi-fetch with the types that openapi-typescript
// generated (./schema.d.ts). Compiled by tsc in its strictest mode; takes its inputs from the variable ASKED, and prints
// the values of the typed responses as JSON.

import createClient from "openapi-fetch";
import type { paths } from "./schema.js";

const asked = JSON.parse(process.env.ASKED ?? "") as {
  baseUrl: string;
  token: string;
  page: string;
  text: string;
  image: string;
};

/** Return the data of a response; throw if it is a refusal. */
function given<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.data === undefined) {
    throw new Error(`${answer.response.url} ${answer.response.status} ${JSON.stringify(answer.error)}`);
  }
  return answer.data;
}

const client = createClient<paths>({
  baseUrl: asked.baseUrl,
  headers: { Authorization: `Bearer ${asked.token}` },
});
const key = "generated_typescript";
const me = { user: "@me", group: "@self" };
const page = { page: asked.page };

given(await client.POST("/2/apps/appdata/{user}/{group}", { params: { path: me }, body: { [key]: asked.text } }));
const data = given(
  await client.GET("/2/apps/appdata/{user}/{group}", { params: { path: me, query: { fields: key } } }),
);
if (!Array.isArray(data.entry)) {
  throw new Error("no list");
}
const { error: refused } = await client.POST("/2/apps/appdata/{user}/{group}", {
  params: { path: me },
  body: { "bad key": "" },
});

const { contentUri } = given(
  await client.POST("/2/pages/{page}/feeds", {
    params: { path: page },
    // The types declare binary parts as strings; openapi-fetch leaves them to the serializer.
    body: { request: { title: asked.text }, image1: asked.image },
    bodySerializer() {
      const form = new FormData();
      form.append("request", new Blob([JSON.stringify({ title: asked.text })], { type: "application/json" }));
      form.append("image1", new Blob([Buffer.from(asked.image, "base64")], { type: "image/png" }), "x.png");
      return form;
    },
  }),
);
const on = { path: page, query: { contentUri } };
const made = given(
  await client.POST("/2/pages/{page}/comments", { params: on, body: { comment: asked.text } }),
);
const comments = given(await client.GET("/2/pages/{page}/comments", { params: on }));
const feeds = given(await client.GET("/2/pages/{page}/feeds", { params: { path: page } }));
const friends = given(
  await client.GET("/2/people/{user}/{group}", { params: { path: { user: "@me", group: "@friends" } } }),
);
if (!Array.isArray(feeds.entry) || !Array.isArray(friends.entry)) {
  throw new Error("no list");
}

const removed = await client.DELETE("/2/pages/{page}/feeds", { params: on });
given(
  await client.DELETE("/2/apps/appdata/{user}/{group}", { params: { path: me, query: { fields: key } } }),
);
const mine = feeds.entry.find((feed) => feed.contentUri === contentUri);
console.log(
  JSON.stringify({
    data: data.entry[0]?.data[key],
    refused: refused?.error,
    title: mine?.title,
    images: mine?.images.length,
    comments: comments.entry.map((each) => [each.id === made.id, each.comment, each.user.id]),
    friends: friends.entry.map((each) => each.id).sort(),
    removed: removed.response.status,
  }),
);
