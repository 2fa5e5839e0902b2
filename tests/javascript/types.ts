// Checked, not run, by tests/unit/test_opensocial_js.py: what type-checks, and what must not.
// @ts-types="./opensocial.d.ts"
import { gadgets, mixi, opensocial, osapi } from "./opensocial.mjs";

const params: { [name: string]: unknown } = {};
params[opensocial.IdSpec.Field.USER_ID] = opensocial.IdSpec.PersonId.VIEWER;
params[opensocial.IdSpec.Field.GROUP_ID] = "FRIENDS";
const idSpec = opensocial.newIdSpec(params);
const req = opensocial.newDataRequest();
req.add(req.newFetchPersonAppDataRequest(idSpec, ["comment"], { escapeType: opensocial.EscapeType.NONE }), "response");
req.add(req.newUpdatePersonAppDataRequest("VIEWER", "comment", "hi"), "stored");
req.add(req.newRemovePersonAppDataRequest("*"));
// @ts-expect-error values are strings
req.newUpdatePersonAppDataRequest("VIEWER", "level", 5);
// @ts-expect-error there is no such escaping
req.newFetchPersonAppDataRequest(idSpec, "*", { escapeType: "html" });
// @ts-expect-error the method is newIdSpec
opensocial.createIdSpec(params);

req.send((data) => {
  if (data.hadError()) return;
  const item = data.get<import("./opensocial.d.ts").AppData>("response");
  const comment: string = item.getData()["k3v9x2mtq7ra"]["comment"];
  const code: "limitExceeded" | "badRequest" | "forbidden" | "unauthorized" | "notImplemented" | "internalError" | null =
    item.getErrorCode();
  const stored = data.get<import("./opensocial.d.ts").Outcome>("stored").getData().hadError();
  // @ts-expect-error there is no such code
  if (item.getErrorCode() === "tooMany") return;
  console.log(comment, code, stored);
});

osapi
  .newBatch()
  .add("me", osapi.people.getViewer())
  .add("scores", osapi.appdata.get({ groupId: "@friends", keys: ["high_score"] }))
  .execute(({ me, scores, error }) => {
    if (error || me.error || scores.error) return;
    const name: string | undefined = me.displayName;
    const score: string = scores["k3v9x2mtq7ra"]["high_score"];
    console.log(name, score);
    // @ts-expect-error no request was added under that name
    console.log(scorse);
  });
osapi.appdata.update({ data: { level: "5" } }).execute((answer) => console.log(answer.error?.code));
// @ts-expect-error values are strings
osapi.appdata.update({ data: { level: 5 } });
osapi.appdata.delete({ keys: "*" });
// @ts-expect-error the keys to delete must be named
osapi.appdata.delete();
// @ts-expect-error the keys to delete must be named
osapi.appdata.delete({ userId: "@viewer" });
osapi.people.getViewer().execute((me) => console.log(me.error ? me.error.code : me.name?.formatted));
globalThis.opensocial.configure({ token: async (refused) => refused ?? "token" });

const activity = opensocial.newActivity({ [opensocial.Activity.Field.TITLE]: "I won" });
opensocial.requestCreateActivity(activity, opensocial.CreateActivityPriority.HIGH, (item) => console.log(item.getErrorCode()));
opensocial.requestShareApp(idSpec, null, (item) => console.log(item.getErrorMessage()), {
  [mixi.Request.Field.FILTER_TYPE]: mixi.Request.FilterType.JOINED_ONLY,
});
opensocial.requestPayment(opensocial.newPayment({}), "https://game.example/paid", (item) => console.log(item.hadError()));
req.add(req.newFetchActivitiesRequest(idSpec), "activities");
gadgets.io.makeRequest("https://game.example/", ({ errors, rc }) => console.log(errors.join(), rc + 1));
// @ts-expect-error a message is no activity
opensocial.requestSendMessage(["k3v9x2mtq7ra"], activity.getField);
osapi.http.get({ href: "https://game.example/" }).execute(({ error }) => console.log(error?.message));
const view: string = gadgets.views.getCurrentView().getName();
mixi.auth({ scope: "mixi_apps2" });
// @ts-expect-error a scope is needed
mixi.auth({});
console.log(view);
