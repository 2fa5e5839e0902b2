import { Engawa } from "@engawa/client";

// TOKEN: a user's access token with the scope mixi_apps2
const engawa = new Engawa("http://127.0.0.1:8000", { token: "TOKEN" });
const { data, etag } = await engawa.appData.read({ fields: ["level", "greeting"] });
console.log(data, etag);

const friends = await engawa.appData.read({ of: "@friends", fields: ["level"] });
for (const { id, data } of friends) console.log(id, data.level);

const ranking = await engawa.appData.ranking("high_score", { count: 10 });
for (const { rank, id, data } of ranking.entry) console.log(rank, id, data.high_score);
