import { Authorization, Engawa, InvalidGrant, Unreachable, webStorage } from "@engawa/client";

const SERVER = "http://127.0.0.1:8000";
const CLIENT_ID = "00000000f1ef1e99";
const find = (id) => document.getElementById(id);

// The tokens of the user: all tabs of this page share them, and only one tab at a time refreshes them.
const tokens = webStorage("tokens");
// The sign-in that this tab has begun.
const pending = webStorage("pending", sessionStorage);
const authorization = new Authorization(SERVER, { clientId: CLIENT_ID, redirectUri: `${location.origin}/` });
// A player does not wait long: three attempts within 15 seconds.
const engawa = new Engawa(SERVER, { token: authorization.session(tokens).token, budget: { attempts: 3, seconds: 15 } });

/** Do a piece of work; show what went wrong, if anything did. */
async function attempt(work) {
  try {
    find("problem").hidden = true;
    return await work();
  } catch (error) {
    find("problem").hidden = false;
    find("problem").textContent = error.error === "access_denied" ? "You have not allowed the game."
      : error instanceof Unreachable ? "The server does not answer. Try again later."
      : error instanceof InvalidGrant ? "Please sign in again."
      : error.message;
    await showUser();
  }
}

async function signIn() {
  const request = await authorization.authorizationUrl({ scope: ["mixi_apps2", "r_profile"] });
  await pending.set(request);
  location.href = request.url;
}

/** Exchange the code, if the browser has come back from the server's pages. */
async function comeBack() {
  const returned = new URL(location.href);
  if (!returned.searchParams.has("state")) return;
  history.replaceState(null, "", "/");
  await tokens.set(await authorization.exchange(returned, await pending.get()));
  await pending.set(undefined);
}

async function signOut() {
  const refresh = (await tokens.get())?.refresh;
  await tokens.set(undefined);
  if (refresh) await authorization.revoke(refresh);
  await showUser();
}

async function showUser() {
  const signedIn = Boolean(await tokens.get());
  find("sign-in").hidden = signedIn;
  find("signed-in").hidden = !signedIn;
  if (!signedIn) find("board").replaceChildren();
}

const names = new Map();

async function showNames() {
  const me = await engawa.people.me({ fields: ["displayName"] });
  find("name").textContent = me.displayName;
  names.set(me.id, `${me.displayName} (you)`);
  for await (const friend of engawa.people.friends({ fields: ["displayName"] })) names.set(friend.id, friend.displayName);
}

async function showRanking() {
  const { entry, self } = await engawa.appData.ranking("best", { count: 10 });
  // One's own entry is shown even if it is not among the first ten.
  const rows = self && !entry.some(({ id }) => id === self.id) ? [...entry, self] : entry;
  find("board").replaceChildren(...rows.map(({ id, rank, data }) => {
    const row = document.createElement("li");
    row.classList.toggle("me", id === self?.id);
    row.append(...[`${rank}.`, names.get(id) ?? id, data.best].map((text) => {
      const cell = document.createElement("span");
      cell.textContent = text;
      return cell;
    }));
    return row;
  }));
}

/** Save the points of a round. The server keeps the better score, also if two devices save at once. */
async function save(points) {
  const { data } = await engawa.appData.patch({ best: { max: String(points) }, rounds: { add: "1" } });
  await showRanking();
  return Number(data.best);
}

let litAt = 0;
let timer = 0;

function show(state, text) {
  find("garden").dataset.state = state;
  find("says").textContent = text;
}

async function tap() {
  switch (find("garden").dataset.state) {
    case "waiting":
      clearTimeout(timer);
      return show("ready", "Too early! Try again");
    case "lit": {
      const took = Math.round(performance.now() - litAt);
      const points = Math.max(0, 10000 - 10 * took);
      show("ready", `${took} ms: ${points} points`);
      if (!(await tokens.get())) return show("ready", `${points} points. Sign in to save your best`);
      const best = await attempt(() => save(points));
      if (best !== undefined) show("ready", `${points} points\n${best === points ? "Your best!" : `Your best: ${best}`}`);
      return;
    }
    default:
      show("waiting", "Wait for the glow…");
      find("garden").style.setProperty("--x", `${15 + 70 * Math.random()}%`);
      find("garden").style.setProperty("--y", `${20 + 35 * Math.random()}%`);
      timer = setTimeout(() => {
        show("lit", "Now!");
        litAt = performance.now();
      }, 900 + 1800 * Math.random());
  }
}

find("sign-in").onclick = () => attempt(signIn);
find("sign-out").onclick = () => attempt(signOut);
// The press counts, not the release.
find("garden").onpointerdown = tap;
find("garden").onkeydown = (event) => {
  if (!event.repeat && [" ", "Enter"].includes(event.key)) tap();
};

await attempt(comeBack);
await showUser();
if (await tokens.get()) {
  await attempt(async () => {
    await showNames();
    await showRanking();
  });
}
