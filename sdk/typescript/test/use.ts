// A program of an app, in the strictest TypeScript. Prints its findings as JSON.

import { ALL, Engawa, ParameterInvalid } from "@engawa/client";

declare const process: { argv: string[] };
const task = JSON.parse(process.argv[2] ?? "") as { baseUrl: string; token: string; page: string };
const engawa = new Engawa(task.baseUrl, { token: task.token });

await engawa.appData.delete(ALL);
await engawa.appData.write({ level: "6" });
const { data } = await engawa.appData.update(({ level = "0" }) => ({ level: String(Number(level) + 1) }));

let refused: ParameterInvalid | undefined;
try {
  await engawa.appData.write({ "bad key": "" });
} catch (error) {
  if (error instanceof ParameterInvalid) refused = error;
}

const friends: string[] = [];
for await (const friend of engawa.people.friends({ filterBy: "hasApp" })) friends.push(friend.id);

const page = engawa.page(task.page);
const contentUri = await page.postFeed({ title: "花", image: "picture.png" });
const { images } = await page.feed(contentUri);
for (const text of ["one", "two"]) await page.postComment(contentUri, text);
const comments = await page.comments(contentUri, { count: 1 }).all();
await page.deleteFeed(contentUri);

console.log(
  JSON.stringify({
    level: data["level"],
    refused: refused?.name,
    requestId: Boolean(refused?.requestId),
    friends: friends.sort(),
    images: images.length,
    comments: comments.map(({ comment }) => comment),
  }),
);
