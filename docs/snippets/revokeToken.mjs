import { Authorization } from "@engawa/client";

// CLIENT_SECRET: the app's secret (.local/demo.json has that of quest)
const app = new Authorization("http://127.0.0.1:8000", {
  clientId: "6d1f0c2ab4e79853",
  clientSecret: "CLIENT_SECRET",
});
await app.revoke("REFRESH_TOKEN"); // that of the user's tokens
