import { Engawa } from "@engawa/client";

// TOKEN: a user's access token with the scope mixi_apps2
const engawa = new Engawa("http://127.0.0.1:8000", { token: "TOKEN" });
const { entry } = await engawa.openSocial.data("mixi.jp:a8d1p0zzk4wn", { fields: ["level"] });
console.log(entry["mixi.jp:a8d1p0zzk4wn"]);
