import { Engawa } from "@engawa/client";

// TOKEN: an access token of the app (or a user's, with the scope r_page)
const engawa = new Engawa("http://127.0.0.1:8000", { token: "TOKEN" });
const page = engawa.page("20260401000000000001");
const comments = page.comments("http://quest.example/contents/1");
for await (const { user, comment } of comments) console.log(user.displayName, comment);
