import { Engawa } from "@engawa/client";

// TOKEN: an access token of the app (or a user's, with the scope r_page)
const engawa = new Engawa("http://127.0.0.1:8000", { token: "TOKEN" });
const page = engawa.page("20260401000000000001");
for await (const feed of page.feeds()) console.log(feed.contentUri, feed.title);

const feed = await page.feed("http://quest.example/contents/1");
console.log(feed.title, feed.favoriteCount);
