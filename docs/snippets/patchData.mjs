import { Engawa } from "@engawa/client";

// TOKEN: a user's access token with the scope mixi_apps2
const engawa = new Engawa("http://127.0.0.1:8000", { token: "TOKEN" });
const { data } = await engawa.appData.patch({
  visits: { add: "1" },
  high_score: { max: "6150" },
  log: { append: "won", last: 10 },
});
console.log(data);

// Read, change and write; begins again if someone else writes meanwhile.
await engawa.appData.update((data) => ({ ...data, greeting: `Level ${data.level ?? 1}` }));
