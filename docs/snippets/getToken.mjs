import { Authorization, Engawa } from "@engawa/client";

// CLIENT_SECRET: the app's secret (.local/demo.json has that of quest)
const app = new Authorization("http://127.0.0.1:8000", {
  clientId: "6d1f0c2ab4e79853",
  clientSecret: "CLIENT_SECRET",
});
const { access, scope } = await app.clientCredentials();
console.log(access, scope);

// A session renews its token by itself.
const engawa = new Engawa("http://127.0.0.1:8000", { token: app.appSession().token });
console.log((await engawa.page("20260401000000000001").get()).displayName);
