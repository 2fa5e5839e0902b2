import { Engawa } from "@engawa/client";

// TOKEN: a user's access token with the scope r_profile
const engawa = new Engawa("http://127.0.0.1:8000", { token: "TOKEN" });
const me = await engawa.people.me({ fields: ["displayName", "thumbnailUrl"] });
console.log(me.displayName);

for await (const friend of engawa.people.friends({ filterBy: "hasApp" })) {
  console.log(friend.id, friend.displayName);
}
