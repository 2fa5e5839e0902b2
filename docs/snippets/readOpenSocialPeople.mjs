import { Engawa } from "@engawa/client";

// TOKEN: a user's access token with the scope r_profile
const engawa = new Engawa("http://127.0.0.1:8000", { token: "TOKEN" });
const { entry, totalResults } = await engawa.openSocial.people("@me", {
  selector: "@friends",
  fields: ["nickname"],
});
console.log(entry, totalResults);
