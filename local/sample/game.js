// The game and the page around it. The calls to the server are in scores.js.
"use strict";

const WORDS = {
  ja: {
    ready: "タップではじめる",
    waiting: "光るまで待って…",
    lit: "いま！",
    early: "早すぎ！ もう一度どうぞ",
    result: (ms, points) => `${ms} ミリ秒 → ${points} 点`,
    record: "自己ベスト！ 保存しましょう",
    again: "自己ベストはそのまま。もう一度？",
    saved: "保存しました",
    cleared: "消しました",
    best: (points) => `ベスト ${points}`,
    me: "自分",
    ok: "成功",
    codes: {
      forbidden: "この人はアプリをインストールしていません。",
      limitExceeded: "書き込みが多すぎます。少し待ってください。",
      unauthorized: "トークンが無効です。ページを読み直してください。",
    },
    other: "うまくいきませんでした。",
  },
  en: {
    ready: "Tap to begin",
    waiting: "Wait for the glow…",
    lit: "Now!",
    early: "Too early! Try again",
    result: (ms, points) => `${ms} ms → ${points} points`,
    record: "Your best so far. Save it!",
    again: "Your best stands. Again?",
    saved: "Saved",
    cleared: "Cleared",
    best: (points) => `best ${points}`,
    me: "you",
    ok: "ok",
    codes: {
      forbidden: "This user has not installed the app.",
      limitExceeded: "Too many writes. Wait a little.",
      unauthorized: "The token is not valid. Load the page again.",
    },
    other: "That did not work.",
  },
};
const language = document.documentElement.lang;
const words = WORDS[language];
const number = new Intl.NumberFormat(language);
const find = (id) => document.getElementById(id);
const garden = find("garden");

let best = null;
let round = null; // The best points of this page that are not saved yet.
let litAt = 0;
let timer = 0;

function show(state, ...lines) {
  garden.dataset.state = state;
  find("says").replaceChildren(...lines.flatMap((line, index) => (index ? [document.createElement("br"), line] : [line])));
}

function tap() {
  switch (garden.dataset.state) {
    case "waiting":
      clearTimeout(timer);
      show("ready", words.early);
      break;
    case "lit": {
      const took = Math.round(performance.now() - litAt);
      const points = Math.max(0, 10000 - 10 * took);
      const isRecord = points > Math.max(best ?? -1, round ?? -1);
      if (isRecord) round = points;
      find("save").disabled = round === null;
      show("ready", words.result(number.format(took), number.format(points)), isRecord ? words.record : words.again);
      break;
    }
    default:
      show("waiting", words.waiting);
      garden.style.setProperty("--x", `${15 + 70 * Math.random()}%`);
      garden.style.setProperty("--y", `${18 + 34 * Math.random()}%`);
      timer = setTimeout(() => {
        show("lit", words.lit);
        litAt = performance.now();
      }, 900 + 1800 * Math.random());
  }
}

/** Log a call and its result; return whether it succeeded. */
function noted(item, call) {
  const [line, code, outcome] = ["li", "code", "span"].map((name) => document.createElement(name));
  code.textContent = call;
  outcome.textContent = item.hadError() ? item.getErrorCode() : words.ok;
  outcome.className = item.hadError() ? "bad" : "good";
  line.append(code, outcome);
  find("calls").prepend(line);
  while (find("calls").children.length > 2) find("calls").lastChild.remove();
  const problem = find("problem");
  problem.hidden = !item.hadError();
  problem.textContent = item.hadError() ? (words.codes[item.getErrorCode()] ?? words.other) : "";
  return !item.hadError();
}

function refresh() {
  loadScores((item, call, people) => {
    if (!noted(item, call)) return;
    const me = people.find((person) => person.isMe);
    best = me.points;
    if (round !== null && best !== null && round <= best) round = null;
    find("save").disabled = round === null;
    find("clear").disabled = best === null;
    find("face").textContent = [...me.name][0];
    find("name").textContent = me.name;
    find("best").textContent = best === null ? "" : words.best(number.format(best));
    const ranked = people.sort((one, other) => (other.points ?? -1) - (one.points ?? -1));
    find("board").replaceChildren(...ranked.map((person) => {
      const [row, name, points] = ["li", "span", "b"].map((tag) => document.createElement(tag));
      row.classList.toggle("me", person.isMe);
      row.classList.toggle("none", person.points === null);
      name.textContent = person.isMe ? `${person.name} · ${words.me}` : person.name;
      points.textContent = person.points === null ? "–" : number.format(person.points);
      row.append(name, points);
      return row;
    }));
  });
}

// The other player has saved or cleared a score.
const neighbours = new BroadcastChannel("firefly");
neighbours.onmessage = refresh;

const changed = (said) => (item, call) => {
  if (noted(item, call)) {
    round = null;
    show("ready", said);
    neighbours.postMessage("changed");
    refresh();
  }
};
find("save").onclick = () => saveScore(round, changed(words.saved));
find("clear").onclick = () => clearScore(changed(words.cleared));
// The press of the button counts, not the release.
garden.onpointerdown = tap;
garden.onkeydown = (event) => {
  if (!event.repeat && [" ", "Enter"].includes(event.key)) tap();
};

new ResizeObserver(() => {
  parent.postMessage({ height: Math.ceil(document.body.getBoundingClientRect().height) }, location.origin);
}).observe(document.body);
show("ready", words.ready);
refresh();
