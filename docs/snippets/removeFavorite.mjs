import { Engawa } from "@engawa/client";

// TOKEN: a user's access token with the scope w_pagefeed
const engawa = new Engawa("http://127.0.0.1:8000", { token: "TOKEN" });
const page = engawa.page("20260401000000000001");
await page.removeFavorite("http://quest.example/contents/1", "k3v9x2mtq7ra-MNFA4G00");
