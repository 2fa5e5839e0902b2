import { Engawa } from "@engawa/client";

// TOKEN: a user's access token with the scopes mixi_apps2 and r_profile
const engawa = new Engawa("http://127.0.0.1:8000", { token: "TOKEN" });
const [written, friends] = await engawa.rpc([
  { method: "appdata.update", id: 1, params: { userId: "@viewer", data: { level: "6" } } },
  { method: "people.get", id: 2, params: { userId: "@me", groupId: "@friends" } },
]);
console.log(written, friends);
