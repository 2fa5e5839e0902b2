// The outer page: it shows the result of sign-in and the events received, and makes frames as high as their contents.
"use strict";

const told = new URLSearchParams(location.search);
const arrived = ["code", "error"].find((name) => told.has(name));
if (arrived) {
  document.getElementById("arrived").hidden = false;
  document.querySelector(`[data-case=${arrived}]`).hidden = false;
  for (const name of ["code", "state", "error", "error_description"].filter((each) => told.has(each))) {
    const [term, value] = [document.createElement("dt"), document.createElement("dd")];
    [term.textContent, value.textContent] = [name, told.get(name)];
    document.getElementById("told").append(term, value);
  }
  const client = document.getElementById("sign-in").dataset.client;
  // Only characters that are safe in a shell command.
  const code = /^[\w.~-]+$/.test(told.get("code") ?? "") ? told.get("code") : "CODE";
  document.getElementById("exchange").textContent = [
    `curl ${location.origin}/2/token -d grant_type=authorization_code`,
    `-d client_id=${client} -d "client_secret=$CLIENT_SECRET"`,
    `-d code=${code}`,
    `--data-urlencode redirect_uri=${location.origin}/sample`,
  ].join(" \\\n  ");
}

addEventListener("message", ({ origin, source, data }) => {
  const frame = [...document.querySelectorAll("iframe")].find((each) => each.contentWindow === source);
  if (origin === location.origin && frame && Number.isFinite(data?.height)) frame.style.height = `${data.height}px`;
});

async function showEvents() {
  const events = await (await fetch("/sample/events")).json();
  const rows = events.map(({ id, type, timestamp, data }) => {
    const row = document.createElement("li");
    row.dataset.event = id;
    row.textContent = `${new Date(timestamp).toLocaleTimeString()} ${type} ${data.subject} #${data.sequence}`;
    return row;
  });
  document.getElementById("events").replaceChildren(...rows);
}

// The list stays as it is while the server does not answer.
const showAgain = () => showEvents().then(showLater, showLater);
const showLater = () => setTimeout(showAgain, 3000);
showAgain();
