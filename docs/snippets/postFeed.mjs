import { Engawa } from "@engawa/client";

// TOKEN: a user's access token with the scope w_pagefeed
const engawa = new Engawa("http://127.0.0.1:8000", { token: "TOKEN" });
const page = engawa.page("20260401000000000001");
const contentUri = await page.postFeed({
  title: "Evening",
  body: "Drawn in Quest.",
  contentUri: "http://quest.example/contents/2",
  image: "picture.png",
});
console.log(contentUri);
