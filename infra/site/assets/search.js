/**
 * The search of the documentation. The index is loaded when the field gets the focus (infra/site/search.py makes it).
 *
 * All terms of a search must be on a page. A term of Latin letters is the beginning of a word. A run of Japanese
 * characters is searched by its pairs (bigrams), since Japanese has no spaces: a page that has most of them is found,
 * and one that has the whole run is better. Letter case, width and the two kinds of kana make no difference.
 */

const MOST = 20; // Results that are shown.
const WEIGHTS = [40, 12, 2]; // Of title, headings and text.
const ENOUGH = 0.6; // The part of a run's pairs that a page must have.
const BEFORE = 40; // Characters of the snippet before the first hit.
const SNIPPET = 160;
const JAPANESE = /[\u3005\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+/gu;
// Words for the same: a search for one of them finds the others, too.
const SAME = [["友だち", "友達", "友人"], ["削除", "消す"], ["お気に入り", "いいね"], ["ログイン", "サインイン"]];

const form = document.querySelector("form[data-search]");
const words = form.dataset;
const field = form.querySelector("input");
const box = form.querySelector(".search-found");
const counted = form.querySelector("[role=status]");
const list = form.querySelector("ol");

const say = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const make = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });

/** Fold letter case and katakana, so that a position in the result is the same position in the text. */
const fold = (text) =>
  text.replace(/./gsu, (each) => {
    const lower = each.toLowerCase();
    return lower.length === each.length ? lower : each;
  }).replace(/[\u30a1-\u30f6]/g, (each) => String.fromCharCode(each.charCodeAt(0) - 0x60));

/** Return the terms of a search: `{ text, pairs }`, where `pairs` is null for a word. */
const termsOf = (query) => {
  const terms = [];
  const rest = query.replace(JAPANESE, (run) => {
    const pairs = [];
    for (let at = 0; at + 2 <= run.length; at++) pairs.push(run.slice(at, at + 2));
    terms.push({ text: run, pairs: pairs.length ? pairs : [run] });
    return " ";
  });
  const found = rest.match(/[\p{L}\p{N}]+/gu) ?? [];
  // One letter begins a word on every page; it counts only if there is nothing else.
  const long = found.filter((each) => each.length > 1);
  for (const text of long.length || terms.length ? long : found) {
    const start = new RegExp(`(?<![\\p{L}\\p{N}])${text}`, "gu");
    const whole = new RegExp(`(?<![\\p{L}\\p{N}])${text}(?![\\p{L}\\p{N}])`, "u");
    terms.push({ text, pairs: null, start, whole });
  }
  return terms;
};

/** Return how well a text has a term: 0 (not at all) to 2. */
const rate = (text, term) => {
  if (!term.pairs) {
    const hits = text.match(term.start)?.length ?? 0;
    return hits && (term.whole.test(text) ? 1.3 : 0.8) + Math.min(hits, 10) / 20;
  }
  if (text.includes(term.text)) return 1.3 + Math.min(text.split(term.text).length - 1, 10) / 20;
  const part = term.pairs.filter((each) => text.includes(each)).length / term.pairs.length;
  return part >= ENOUGH ? part / 2 : 0;
};

/** Return a page's score, 0 if a term is missing. */
const scoreOf = (page, terms, query) => {
  let score = 0;
  for (const term of terms) {
    const rates = page.folded.map((text, place) => rate(text, term) * WEIGHTS[place]);
    const best = rates.reduce((sum, each) => sum + each, 0);
    if (!best) return 0;
    score += best;
  }
  // The search itself, with its spaces and signs, as in `@me/@friends`.
  page.folded.forEach((text, place) => {
    if (text.includes(query)) score += WEIGHTS[place] / 2;
  });
  return score;
};

/** Return a search, and the same with other words for the same. */
const variantsOf = (query) => {
  const variants = new Set([query]);
  for (const same of SAME.map((each) => each.map(fold))) {
    const used = same.find((each) => query.includes(each));
    if (used) for (const each of same) variants.add(query.replaceAll(used, each));
  }
  return [...variants];
};

const search = (pages, typed) => {
  const query = fold(typed.normalize("NFKC").trim().replace(/\s+/gu, " "));
  const variants = variantsOf(query).map((text) => {
    const terms = termsOf(text);
    // Signs alone, such as "{}", are looked for as they are.
    return { text, terms: terms.length ? terms : [{ text, pairs: [text] }] };
  });
  const found = pages
    .map((page) => ({ page, score: Math.max(...variants.map(({ text, terms }) => scoreOf(page, terms, text))) }))
    .filter(({ score }) => score)
    .sort((one, other) => other.score - one.score);
  return { terms: variants.flatMap(({ terms }) => terms), found: found.map(({ page }) => page) };
};

/** Return the places of the terms in a text, in order and apart: `[start, end]`. */
const placesOf = (folded, terms) => {
  const places = [];
  for (const { text, pairs, start } of terms) {
    if (!pairs) for (const hit of folded.matchAll(start)) places.push([hit.index, hit.index + text.length]);
    for (const each of pairs ? (folded.includes(text) ? [text] : pairs) : []) {
      for (let at = folded.indexOf(each); at >= 0; at = folded.indexOf(each, at + 1)) places.push([at, at + each.length]);
    }
  }
  places.sort((one, other) => one[0] - other[0]);
  return places.reduce((apart, place) => {
    const last = apart.at(-1);
    if (last && place[0] <= last[1]) last[1] = Math.max(last[1], place[1]);
    else apart.push(place);
    return apart;
  }, []);
};

/** Put a part of a text into an element, with its hits marked. */
const marked = (element, text, places, from = 0, to = text.length) => {
  let at = from;
  for (const [start, end] of places) {
    if (start < at || end > to) continue;
    element.append(text.slice(at, start), make("mark", text.slice(start, end)));
    at = end;
  }
  element.append(text.slice(at, to));
  return element;
};

const shownOf = ({ url, title, text, folded }, terms) => {
  const link = make("a", "");
  link.href = url;
  link.append(marked(make("b", ""), title, placesOf(folded[0], terms)));
  const places = placesOf(folded[2], terms);
  const from = Math.max(0, (places[0]?.[0] ?? 0) - BEFORE);
  const to = Math.min(text.length, from + SNIPPET);
  const snippet = make("span", from ? "…" : "");
  link.append(marked(snippet, text, places, from, to));
  if (to < text.length) snippet.append("…");
  const line = make("li", "");
  line.append(link);
  return line;
};

// The field ----------------------------------------------------------------------------------------------------------

let loading = null; // The promise of the pages; null again if it failed.

const load = () => {
  loading ??= fetch(words.index).then(async (answer) => {
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const entries = await answer.json();
    const home = new URL(words.root, location.href);
    return entries.map(([path, title, headings, text]) => ({
      url: new URL(path.slice(1), home),
      title,
      text,
      folded: [title, headings, text].map(fold),
    }));
  });
  loading.catch(() => {
    loading = null;
  });
  return loading;
};

const tell = (...parts) => {
  box.hidden = false;
  counted.replaceChildren(...parts);
};

const hide = () => {
  box.hidden = true;
  counted.replaceChildren();
  list.replaceChildren();
};

/** Show the results of what is typed; `data-shown` of the form is the search that is shown. */
const update = async () => {
  const typed = field.value;
  await showResults(typed, typed.trim());
  if (field.value === typed) words.shown = typed;
};

const showResults = async (typed, said) => {
  if (!said) return hide();
  // One kanji is a word; one kana or letter is on every page.
  if ([...said].length < 2 && !/[\u3400-\u9fff]/u.test(said)) {
    list.replaceChildren();
    return tell(words.short);
  }
  if (!box.childElementCount || box.hidden) tell(words.loading);
  let pages;
  try {
    pages = await load();
  } catch {
    list.replaceChildren();
    return tell(words.failed);
  }
  if (field.value !== typed) return undefined; // The reader has typed on; that search follows.
  const { terms, found } = search(pages, typed);
  list.replaceChildren(...found.slice(0, MOST).map((page) => shownOf(page, terms)));
  const count = found.length;
  if (!count) {
    const all = make("a", words.seeAll);
    all.href = words.all;
    return tell(say(words.none, { query: said }), " ", all);
  }
  return tell(count === 1 ? words.one : say(count > MOST ? words.first : words.many, { count, shown: MOST }));
};

let timer = 0;
const soon = (event) => {
  // Until an input method has finished, the field has letters that the reader does not mean.
  if (event.isComposing) return;
  clearTimeout(timer);
  timer = setTimeout(update, 80);
};

field.addEventListener("focus", () => load().catch(() => undefined));
field.addEventListener("input", soon);
field.addEventListener("compositionend", () => soon({}));
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  clearTimeout(timer);
  await update();
  list.querySelector("a")?.click();
});

form.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (event.key === "Escape" && !box.hidden) {
    event.preventDefault();
    hide();
    field.focus();
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || box.hidden) return;
  const stops = [field, ...list.querySelectorAll("a")];
  const at = stops.indexOf(document.activeElement);
  if (at < 0) return;
  event.preventDefault();
  stops[Math.min(Math.max(at + step, 0), stops.length - 1)].focus();
});

document.addEventListener("keydown", (event) => {
  const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
  if (event.key !== "/" || !isPlain || event.target.closest?.("input, textarea, select, dialog")) return;
  event.preventDefault();
  field.focus();
  field.select();
});

// A click or the focus elsewhere closes the list.
document.addEventListener("pointerdown", (event) => {
  if (!form.contains(event.target)) hide();
});
form.addEventListener("focusout", (event) => {
  if (event.relatedTarget && !form.contains(event.relatedTarget)) hide();
});

form.hidden = false;
