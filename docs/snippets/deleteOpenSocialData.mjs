import { Engawa } from "@engawa/client";

// TOKEN: a user's access token with the scope mixi_apps2
const engawa = new Engawa("http://127.0.0.1:8000", { token: "TOKEN" });
await engawa.openSocial.delete(["level", "greeting"]);
