import { Engawa } from "@engawa/client";

// TOKEN: a user's access token with the scope w_pagefeed
const engawa = new Engawa("http://127.0.0.1:8000", { token: "TOKEN" });
const page = engawa.page("20260401000000000001");
const id = await page.postComment("http://quest.example/contents/1", "きれい");
console.log(id);
