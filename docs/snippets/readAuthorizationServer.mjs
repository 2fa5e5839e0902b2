import { Authorization } from "@engawa/client";

const app = new Authorization("http://127.0.0.1:8000", { clientId: "6d1f0c2ab4e79853" });
const { issuer, scopes_supported } = await app.metadata();
console.log(issuer, scopes_supported);
