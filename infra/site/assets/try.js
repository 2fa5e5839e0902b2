/**
 * "Try it" on the page of an operation: it sends the request of the form, and shows the answer.
 *
 * The token is kept in the session storage of the tab, under one name for users and one for operators, so that a user's
 * request is never sent with an operator's token. It is sent in the header Authorization, never in a URL. All that a
 * server answers is shown as text.
 */

const SHOWN = 100_000; // Bytes of an answer that are shown. A browser needs seconds for the layout of a larger text.
const SECONDS = 60;
const TEXT = /^(text\/|application\/(\w+[.+-])*(json|xml|javascript|x-pem-file)\b)/;

const form = document.querySelector("form[data-try]");
const words = form.dataset;
const within = (root) => (selector) => root.querySelector(selector);
const [field, part] = [within(form), within(form.parentElement)];
const answerPart = part("[data-answer]");

const home = new URL(words.root, location.href); // A platform may be below a path, such as a stage of API Gateway.
const demo = new URL("local/tokens", home); // Only the local platform has it.

/** Return a text with the values in the places of their names. */
const say = (text, values = {}) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

const count = new Intl.NumberFormat(words.language, { maximumFractionDigits: 1 });
const sizeOf = (bytes) =>
  bytes < 1000 ? `${bytes} B` : bytes < 1e6 ? `${count.format(bytes / 1000)} KB` : `${count.format(bytes / 1e6)} MB`;

const make = (tag, text, properties = {}) => Object.assign(document.createElement(tag), { textContent: text }, properties);

// The token ----------------------------------------------------------------------------------------------------------

const STORED = `engawa.${words.token}`;
const tokenField = field("#try-token");

/** Return the token and the name of its user: `{ token, name }`; both are empty if there is none. */
const kept = () => {
  try {
    return { token: "", name: "", ...JSON.parse(sessionStorage.getItem(STORED)) };
  } catch {
    // The storage is turned off, or holds another page's text: the field alone keeps the token.
    return { token: tokenField?.value ?? "", name: "" };
  }
};

const keep = (token, name = "") => {
  try {
    if (token) sessionStorage.setItem(STORED, JSON.stringify({ token, name }));
    else sessionStorage.removeItem(STORED);
  } catch {
    // The same: nothing is kept after this page.
  }
};

/** Return the token alone: a reader may paste a whole header. */
const bare = (text) => text.trim().replace(/^(authorization\s*:\s*)?((bearer|oauth2?)\s+)?/i, "");

const tellWhose = (text) => {
  tokenField.removeAttribute("aria-invalid");
  field("[data-whose]").textContent = text;
};

const startTokens = async () => {
  const { token, name } = kept();
  tokenField.value = token;
  if (name) tellWhose(say(words.sayAs, { name }));
  tokenField.addEventListener("input", () => {
    keep(bare(tokenField.value));
    tellWhose("");
  });
  field("[data-forget]").addEventListener("click", () => {
    tokenField.value = "";
    keep("");
    tellWhose(words.sayForgotten);
    tokenField.focus();
  });
  // On another host there is no demo world, and a request for it would only leave an error in the console.
  if (words.token !== "user" || !["127.0.0.1", "localhost"].includes(location.hostname)) return;
  const offered = await fetch(demo, { cache: "no-store" }).then((answer) => (answer.ok ? answer.json() : null), () => null);
  for (const name of offered?.users ?? []) {
    const button = make("button", name, { type: "button", className: "plain", ariaLabel: say(words.saySignIn, { name }) });
    button.addEventListener("click", () => signIn(name));
    field("[data-demo]").append(button, " ");
    field("[data-demo]").hidden = false;
  }
};

const signIn = async (name) => {
  try {
    const asked = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ user: name }) };
    const answer = await fetch(demo, { ...asked, cache: "no-store" });
    if (!answer.ok) throw new Error(answer.statusText);
    const { token, expiresIn } = await answer.json();
    tokenField.value = token;
    keep(token, name);
    tellWhose(say(words.sayWhose, { name, minutes: Math.floor(expiresIn / 60) }));
  } catch {
    tellWhose(words.sayNoDemo);
  }
};

// The request --------------------------------------------------------------------------------------------------------

/** A fault of the form, in words for the reader; `at` is the field to go to. */
class Fault extends Error {
  constructor(text, at) {
    super(text);
    this.at = at;
  }
}

/** Write the signs that need no escape as they are: `@me`, not `%40me`. */
const readable = (escaped) => escaped.replace(/%(40|2C|3A)/g, decodeURIComponent);

/** Return the request of the form: `{ url, init, preview }`. Raises Fault. */
const written = () => {
  const query = new URLSearchParams();
  const headers = new Headers();
  let path = words.path.slice(1);
  for (const each of form.querySelectorAll("[data-field]")) {
    const { in: place, field: name, required } = each.dataset;
    if (required !== undefined && !each.value) throw new Fault(say(words.sayMissing, { name }), each);
    // A browser reads these as parts of the path, and would ask another address.
    const isDots = place === "path" && /^\.\.?$/.test(each.value);
    if (isDots) throw new Fault(say(words.sayBadRequest, { reason: `${name}: ${each.value}` }), each);
    if (place === "path") path = path.replace(`{${name}}`, () => readable(encodeURIComponent(each.value)));
    else if (place === "query" && each.value) query.append(name, each.value);
    else if (each.value) {
      try {
        headers.set(name, each.value);
      } catch {
        throw new Fault(say(words.sayBadHeader, { name }), each);
      }
    }
  }
  const token = tokenField ? bare(tokenField.value) : "";
  if (token) {
    if (!/^[!-~]+$/.test(token)) throw new Fault(words.sayBadToken, tokenField);
    headers.set("Authorization", `Bearer ${token}`);
  }
  const { body, preview } = writtenBody(headers);
  const url = new URL(path + (query.toString() ? `?${readable(query.toString())}` : ""), home);
  const init = { method: words.method, headers, body, credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer" };
  return { url, init, preview };
};

const writtenBody = (headers) => {
  const text = field("#try-body");
  if (!text) return {};
  const files = [...form.querySelectorAll("[data-file]")].filter((each) => each.files.length);
  if (!files.length) {
    headers.set("Content-Type", "application/json");
    return { body: text.value, preview: text.value };
  }
  const body = new FormData();
  body.append(text.dataset.part, text.value);
  for (const each of files) body.append(each.dataset.file, each.files[0]);
  const named = files.map((each) => `${each.dataset.file}: ${each.files[0].name} (${sizeOf(each.files[0].size)})`);
  return { body, preview: `${text.dataset.part}: ${text.value}\n${named.join("\n")}` };
};

/** Return the request as the browser would send it. Raises Fault if it leaves something out. */
const checked = ({ url, init }) => {
  let request;
  try {
    request = new Request(url, init);
  } catch (error) {
    throw new Fault(say(words.sayBadRequest, { reason: error.message }), field("button[type=submit]"));
  }
  for (const [name] of init.headers) {
    if (!request.headers.has(name)) {
      throw new Fault(say(words.sayKeptHeader, { name }), form.querySelector(`[data-field="${CSS.escape(name)}" i]`));
    }
  }
  return request;
};

/** Ask before a write; return whether the reader agrees. */
const agreed = (dialog, url, preview) => {
  const inside = within(dialog);
  const { token, name } = kept();
  inside("[data-ask-request]").textContent = `${words.method} ${url}`;
  inside("[data-ask-whose]").textContent =
    !tokenField || !tokenField.value ? words.sayNoToken : name && token === tokenField.value ? say(words.sayAs, { name }) : words.sayPasted;
  const body = inside("[data-ask-body]");
  body.textContent = (preview ?? "").slice(0, 2000) + (preview?.length > 2000 ? "…" : "");
  body.hidden = !preview;
  const all = inside("[data-ask-all]");
  if (all) all.hidden = url.searchParams.has("fields");
  return new Promise((resolve) => {
    const close = (yes) => () => {
      resolve(yes);
      dialog.close();
    };
    inside("[data-ask-yes]").onclick = close(true);
    inside("[data-ask-no]").onclick = close(false);
    dialog.onclose = () => resolve(false); // Esc; after a button this changes nothing.
    dialog.showModal();
  });
};

// The answer ---------------------------------------------------------------------------------------------------------

let running = null; // The controller of the request that has no answer yet.
let saved = ""; // The URL of the last answer as a file.

/** Read a body, and say how much has come. Returns `{ chunks, size, broken }`. */
const received = async (answer) => {
  const chunks = [];
  let size = 0;
  try {
    const reader = answer.body?.getReader();
    for (let next; reader && !(next = await reader.read()).done; ) {
      chunks.push(next.value);
      size += next.value.length;
      if (size > SHOWN) field("[data-progress]").textContent = say(words.sayReceived, { size: sizeOf(size) });
    }
  } catch (error) {
    if (running?.signal.aborted) throw error;
    return { chunks, size, broken: true };
  }
  return { chunks, size, broken: false };
};

const problem = (...parts) => {
  const shown = part("[data-problem]");
  for (const each of parts) {
    const line = make("p", "");
    line.append(each);
    shown.append(line);
  }
  shown.hidden = false;
};

const clear = () => {
  for (const name of ["status", "sent", "problem", "headers", "more", "body"]) part(`[data-${name}]`).replaceChildren();
  part("[data-problem]").hidden = part("[data-more]").hidden = true;
  answerPart.hidden = answerPart.querySelector("details").hidden = answerPart.querySelector("pre").hidden = true;
  if (saved) URL.revokeObjectURL(saved);
  saved = "";
};

const show = async (answer, started) => {
  const { chunks, size, broken } = await received(answer);
  const milliseconds = performance.now() - started;
  const type = answer.headers.get("content-type") ?? "";
  const file = new Blob(chunks, { type });
  part("[data-status]").textContent =
    `${answer.status} ${answer.statusText} · ${count.format(Math.round(milliseconds))} ms · ${sizeOf(size)}`;
  part("[data-status]").classList.toggle("bad", answer.status >= 400);
  for (const [name, value] of answer.headers) part("[data-headers]").append(make("dt", name), make("dd", value));
  answerPart.querySelector("details").hidden = false;
  if (answer.redirected) part("[data-more]").append(say(words.sayRedirected, { origin: new URL(answer.url).origin }), " ");
  if (broken) problem(say(words.sayBroken, { size: sizeOf(size) }));
  const whole = await showBody(file, type);
  if (answer.status >= 400) explain(answer, whole);
};

/** Show the beginning of a body; return its JSON, if all of it is shown and it is JSON. */
const showBody = async (file, type) => {
  const more = part("[data-more]");
  const isText = TEXT.test(type);
  if (!file.size) more.append(words.sayEmpty);
  else if (!isText) more.append(say(words.sayBinary, { type: type || "?", size: sizeOf(file.size) }), " ");
  else if (file.size > SHOWN) more.append(say(words.sayFirst, { shown: sizeOf(SHOWN), size: sizeOf(file.size) }), " ");
  more.hidden = !more.hasChildNodes();
  if (!more.hidden && file.size) {
    saved = URL.createObjectURL(file);
    const ending = /json|xml|png|jpeg|javascript/.exec(type)?.[0] ?? (isText ? "txt" : "bin");
    more.append(make("a", words.saySave, { href: saved, download: `${words.try}.${ending}` }));
  }
  if (!isText || !file.size) return null;
  // A character that is cut in two at the end is left out.
  const text = new TextDecoder().decode(await file.slice(0, SHOWN).arrayBuffer(), { stream: true });
  let value = null;
  if (file.size <= SHOWN) {
    try {
      value = JSON.parse(text);
    } catch {
      // It is shown as it is.
    }
  }
  part("[data-body]").textContent = value === null ? text : JSON.stringify(value, null, 2);
  answerPart.querySelector("pre").hidden = false;
  return value;
};

/** Say what an error is about, and how to go on. */
const explain = (answer, value) => {
  const lines = [];
  const refused = /error="?'?insufficient_scope/.test(answer.headers.get("www-authenticate") ?? "");
  if (typeof value?.error_description === "string") lines.push(value.error_description);
  if (answer.status === 401 && tokenField) {
    lines.push(words.sayToken);
    tokenField.setAttribute("aria-invalid", "true");
  } else if (refused || value?.error === "insufficient_scope") {
    const scopes = [...form.querySelectorAll(".try-token legend + p code")].map((each) => each.textContent);
    const scope = /scope=["']([^"']+)/.exec(answer.headers.get("www-authenticate") ?? "")?.[1] ?? scopes.join(" ");
    lines.push(say(words.sayScope, { scope }));
  }
  const seconds = answer.headers.get("retry-after");
  if (seconds) lines.push(say(words.sayWait, { seconds }));
  // The words of all errors are like this; another server's may not be.
  if (typeof value?.error === "string" && /^[a-z0-9_]+$/.test(value.error)) {
    const href = `${words.errors.replace(/\/?$/, "/")}${value.error}`;
    lines.push(make("a", say(words.sayError, { word: value.error }), { href }));
  }
  if (lines.length) problem(...lines);
};

/** Say why there is no answer. */
const failed = async (error, controller, blocked) => {
  if (controller.signal.aborted) {
    const isLate = controller.signal.reason?.name === "TimeoutError";
    return problem(isLate ? say(words.sayTimeout, { seconds: SECONDS }) : words.sayStopped);
  }
  // The report of a violation comes after the failure of the request.
  await new Promise((resolve) => setTimeout(resolve, 100));
  if (blocked.is) return problem(words.sayBlocked);
  if (!(error instanceof TypeError)) throw error;
  return problem(navigator.onLine ? words.sayNetwork : words.sayOffline);
};

const send = async () => {
  if (running) return;
  clear();
  field("[data-progress]").classList.remove("hidden");
  let asked;
  let request;
  try {
    asked = written();
    request = checked(asked);
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    field("[data-progress]").textContent = fault.message;
    const folded = fault.at?.closest("details");
    if (folded) folded.open = true;
    fault.at?.focus();
    return;
  }
  const dialog = part("[data-ask]");
  if (dialog && !(await agreed(dialog, asked.url, asked.preview))) return;

  running = new AbortController();
  const controller = running;
  const late = setTimeout(() => controller.abort(new DOMException("late", "TimeoutError")), SECONDS * 1000);
  const blocked = {};
  const note = ({ effectiveDirective, blockedURI }) => {
    // The report names the address before the redirect.
    if (effectiveDirective === "connect-src" && blockedURI === request.url) blocked.is = true;
  };
  document.addEventListener("securitypolicyviolation", note);
  field("[data-stop]").hidden = false;
  field("[data-progress]").textContent = words.sayWaiting;
  part("[data-sent]").textContent = `${words.method} ${asked.url}`;
  try {
    const started = performance.now();
    const answer = await fetch(request, { signal: controller.signal });
    await show(answer, started);
  } catch (error) {
    await failed(error, controller, blocked);
  } finally {
    clearTimeout(late);
    document.removeEventListener("securitypolicyviolation", note);
    running = null;
    // The focus must not get lost with the button.
    if (document.activeElement === field("[data-stop]")) field("button[type=submit]").focus();
    field("[data-stop]").hidden = true;
    answerPart.hidden = false;
    answerPart.scrollIntoView({ block: "nearest" });
    const status = part("[data-status]").textContent;
    field("[data-progress]").textContent = status || part("[data-problem]").textContent;
    // Screen readers say it; others see the same just below.
    field("[data-progress]").classList.add("hidden");
  }
};

form.addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
field("[data-stop]").addEventListener("click", () => running?.abort());
if (tokenField) startTokens();
form.hidden = false;
