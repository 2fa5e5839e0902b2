// Checked, not run: what type-checks, and what must not.

import { AppData } from "@engawa/client/appdata";
import { BoundExceeded, EngawaError, NotFound } from "@engawa/client/errors";
import * as all from "@engawa/client";

const { Authorization, Engawa, memory, webStorage } = all;
const app = new Authorization("https://social.example", { clientId: "6d1f0c2ab4e79853" });
const session = app.session(webStorage<all.Tokens>("tokens"));
const engawa = new Engawa(new URL("https://social.example"), { token: session.token, budget: { attempts: 3 } });
new AppData("https://social.example", { token: async (refused) => refused ?? "" }) satisfies all.AppData;
app.session(memory({ access: "", refresh: undefined, renewAt: 0, scope: "" })) satisfies all.Session;

const mine: all.VersionedData = await engawa.appData.read();
const perhaps: all.VersionedData | undefined = await engawa.appData.read({ ifNoneMatch: mine.etag ?? "" });
const friends: all.UserData[] = await engawa.appData.read({ of: "@friends", fields: ["level"] });
const usage: number = (await engawa.appData.usage()).window.remaining;
// @ts-expect-error perhaps there are none
perhaps.data;
// @ts-expect-error values are strings
await engawa.appData.write({ level: 6 });
// @ts-expect-error everything must be said
await engawa.appData.delete();
await engawa.appData.patch({ coins: { add: "-30", atLeast: "0" }, seat: { set: "hana", if: null }, old: { delete: true } });
// @ts-expect-error numbers are given as strings
await engawa.appData.patch({ coins: { add: 30 } });
// @ts-expect-error there is no such operation
await engawa.appData.patch({ coins: { subtract: "30" } });
const rank: number = (await engawa.appData.ranking("best", { sortOrder: "ascending" })).entry[0]?.rank ?? 0;

// @ts-expect-error no such order
engawa.people.friends({ sortBy: "age" });
// @ts-expect-error no such field
engawa.people.me({ fields: ["shoeSize"] });
const gender: "male" | "female" | undefined = (await engawa.people.me({ fields: ["gender"] })).gender;
const names: string[] = (await engawa.people.friends({ fields: "@all" }).all()).map(({ displayName = "" }) => displayName);

const page = engawa.page("20260401000000000001");
await page.postFeed({ title: "Evening", image: new Uint8Array(8) });
// @ts-expect-error a feed has a title
await page.postFeed({ body: "Evening" });
for await (const { user, comment } of page.comments("https://x.example/")) user.displayName satisfies typeof comment;

const [first]: all.CallAnswer[] = await engawa.rpc([{ method: "people.get", params: { userId: "@me" } }]);
const one: all.CallAnswer = await engawa.rpc({ method: "system.listMethods" });
// @ts-expect-error there is no such method
await engawa.rpc({ method: "appdata.list" });
const error: unknown = one;
if (error instanceof NotFound) error.error satisfies "not_found";
if (error instanceof BoundExceeded || error instanceof EngawaError) error.retryAfter satisfies number | undefined;
export { first, friends, gender, names, rank, usage };
