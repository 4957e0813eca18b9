/* One alarm: why it was raised, and what an operator does about it. The token stays in this tab. */

import { label, shown } from "./figures.js";

const KEPT = "lamplighter-token";
const HOUR_MS = 3_600_000;
const TOKEN = /^[\x21-\x7e]+$/; /* a header can hold nothing else, and no token does */
const id = decodeURIComponent(location.pathname.split("/").pop());
const path = `/ops/v1/alarms/${encodeURIComponent(id)}`;
const ZONE = document.documentElement.dataset.timezone;
const $ = (name) => document.getElementById(name);

const words = (name) => name.replaceAll("_", " ");

function say(text) {
  $("notice").textContent = text;
  $("notice").hidden = !text;
}

function rows(table, pairs) {
  table.replaceChildren(
    ...pairs.filter(([, value]) => value !== null && value !== undefined && value !== "").map(([name, value]) => {
      const row = document.createElement("tr");
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = label(name);
      const cell = document.createElement("td");
      cell.textContent = shown(name, value, ZONE);
      row.append(head, cell);
      return row;
    }),
  );
}

function draw(alarm) {
  document.title = $("title").textContent = `${words(alarm.type)}: ${alarm.asset ?? alarm.subject}`;
  $("severity").textContent = alarm.severity;
  $("state").textContent = words(alarm.state) + (alarm.state_under ? `, ${words(alarm.state_under)} underneath` : "");
  const flat = Object.entries(alarm.why).flatMap(([name, value]) =>
    value !== null && typeof value === "object" && !Array.isArray(value) ? Object.entries(value) : [[name, value]],
  );
  rows($("why"), flat);
  rows($("course"), [
    ["cause observed", alarm.observed_at], ["raised", alarm.raised_at], ["over since", alarm.cleared_at],
    ["acknowledged by", alarm.acknowledged_by], ["acknowledged", alarm.acknowledged_at], ["note", alarm.note],
    ["put aside by", alarm.shelved_by], ["until", alarm.shelved_until], ["because", alarm.shelve_reason],
  ]);
  const standing = alarm.state_under ?? alarm.state;
  $("acknowledge").hidden = !["unacknowledged", "returned_unacknowledged"].includes(standing);
  $("shelve").hidden = alarm.state === "normal" || alarm.state === "shelved";
  $("unshelve").hidden = alarm.state !== "shelved";
  $("alarm").hidden = false;
}

async function ask(target, body) {
  const headers = { authorization: `Bearer ${sessionStorage.getItem(KEPT)}` };
  const options = body === undefined ? { headers } : { method: "POST", headers: { ...headers, "content-type": "application/json" }, body: JSON.stringify(body) };
  let answer;
  try {
    answer = await fetch(target, options);
  } catch {
    say("The platform does not answer. Try again.");
    return null;
  }
  const content = await answer.json().catch(() => ({}));
  if (answer.ok) {
    say("");
    $("enter").hidden = true;
    draw(content);
    return answer;
  }
  say(content.detail ?? `The platform answered ${answer.status}.`);
  if (answer.status === 401) {
    sessionStorage.removeItem(KEPT);
    $("alarm").hidden = true;
    $("enter").hidden = false;
    $("token").focus();
  }
  return null;
}

function on(name, act) {
  $(name).addEventListener("submit", (event) => {
    event.preventDefault();
    act();
  });
}

on("enter", () => {
  if (!TOKEN.test($("token").value.trim())) {
    say("This is no token: it holds a character that no token has.");
    return;
  }
  sessionStorage.setItem(KEPT, $("token").value.trim());
  $("token").value = "";
  ask(path);
});
on("acknowledge", () => ask(`${path}/acknowledge`, { note: $("note").value || null }));
on("shelve", async () => {
  const now = await ask(path); /* the city's clock may be another than ours, and faster */
  if (!now) return;
  const hoursMs = Number($("hours").value) * HOUR_MS - 60_000;
  const until = new Date(Date.parse(now.headers.get("city-time")) + hoursMs).toISOString();
  ask(`${path}/shelve`, { until, reason: $("reason").value });
});
on("unshelve", () => ask(`${path}/unshelve`, {}));

if (sessionStorage.getItem(KEPT)) ask(path);
else {
  $("enter").hidden = false;
  $("token").focus();
}
