// The residents' page: fetches the zones once, then keeps them live; everything shown is made from `zones` here.

import { HTML_LANGUAGES, LOCALES, WORDS, distanceText, preferredLanguage } from "./words.js";

const PARKING = "/public/v1/parking";
const LOST_AFTER_MS = 5_000;
const POLL_MS = 30_000;
const SPEAK_EVERY_MS = 12_000;
const SPOKEN_AT_ONCE = 3;
const AHEAD_MIN = 30;
const STATES = { open: "free", almost_full: "few", full: "full", closed: "closed" };

const root = document.documentElement;
const byId = (id) => document.getElementById(id);
const tiles = tilesOf(root.dataset.tiles);
const zones = new Map();
const rows = new Map();
const changes = new Map();
const view = { language: preferredLanguage(location.search, navigator.languages), order: "name", needs: new Set(), here: null, lost: false, heard: false, notice: null };

// ---- what is shown ----

/** The tiles that the town names, as URL and maker; `host` is whose server gives them, where it is not ours. */
function tilesOf(named) {
  const [url, ...maker] = named.split(" ");
  const { host } = new URL(url, location.href);
  return { url, maker: maker.join(" "), host: host === location.host ? "" : host };
}

/** A zone's status as it is shown: free, few, full or closed; unsure where it is old, or no bay is known. */
export function stateOf(zone) {
  if (zone.status === "closed" || (zone.capacity === 0 && zone.closed > 0)) return "closed";
  if (zone.stale || zone.unknown === zone.capacity) return "unsure";
  return STATES[zone.status] ?? "unsure";
}

/** What is expected about half an hour ahead, `undefined` where nothing can be said. */
function soon(zone) {
  if (zone.stale || stateOf(zone) === "closed") return undefined;
  const far = (each) => Math.abs(each.minutes - AHEAD_MIN);
  return [...zone.forecast].sort((a, b) => far(a) - far(b))[0];
}

function timeText(moment) {
  const at = new Date(moment);
  const zone = { timeZone: root.dataset.timezone };
  const day = (date) => date.toLocaleDateString("en-CA", zone);
  const clock = { hour: "2-digit", minute: "2-digit" };
  const full = day(at) === day(new Date()) ? clock : { day: "numeric", month: "short", ...clock };
  return at.toLocaleString(LOCALES[view.language], { ...full, ...zone });
}

function metresTo(zone) {
  if (!view.here || zone.lat === null || zone.lon === null) return Infinity;
  const rad = Math.PI / 180;
  const half = (a) => Math.sin(a / 2) ** 2;
  const h = half((zone.lat - view.here.lat) * rad) + Math.cos(zone.lat * rad) * Math.cos(view.here.lat * rad) * half((zone.lon - view.here.lon) * rad);
  return 12_742_018 * Math.asin(Math.sqrt(h));
}

const ORDERS = {
  name: (a, b) => a.name.localeCompare(b.name, LOCALES[view.language]),
  free: (a, b) => b.free - a.free || ORDERS.name(a, b),
  near: (a, b) => metresTo(a) - metresTo(b) || ORDERS.name(a, b),
};

function wanted() {
  const meets = (zone) => [...view.needs].every((need) => zone.restricted[need]?.free > 0);
  return [...zones.values()].filter(meets).sort(ORDERS[view.order]);
}

/** Set a text only where it differs, so that a screen reader's cursor stays where it is. */
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
  element.hidden = text === "";
}

function make(tag, name, ...children) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...children);
  return element;
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS("http://www.w3.org/2000/svg", "use"));
  if (name) point(svg, name);
  return svg;
}

const point = (svg, name) => svg.firstChild.setAttribute("href", `#i-${name}`);

/** The row of a zone, made once; `fill` keeps it up to date. */
function makeRow(name) {
  const row = { item: make("li", "zone"), name: make("h3"), number: make("strong"), unit: make("span", "unit"), of: make("span", "of") };
  row.mark = icon();
  row.trendMark = icon();
  for (const part of ["state", "trend", "distance", "range", "soon", "closed", "stale"]) row[part] = make("span");
  for (const part of ["disabled", "charging"]) row[part] = make("span");
  row.bar = make("div", "bar", make("i", "taken"), make("i", "silent"), make("i", "open"));
  row.bar.setAttribute("aria-hidden", "true");
  row.route = make("a");
  row.route.rel = "noreferrer external";
  const head = make("p", "state", row.mark, row.state);
  row.trendLine = make("span", "trend", row.trendMark, row.trend);
  row.facts = {};
  for (const [part, mark] of [["stale", "unsure"], ["range", ""], ["soon", "soon"], ["disabled", "disabled"], ["charging", "charging"], ["closed", "closed"]]) {
    row.facts[part] = make("li", part, ...(mark ? [icon(mark)] : []), row[part]);
  }
  row.facts.route = make("li", "route", row.route, row.distance);
  head.append(row.trendLine);
  row.item.id = `zone-${name}`;
  row.item.tabIndex = -1;
  row.item.append(row.name, make("p", "count", row.number, " ", row.unit, " ", row.of), head, row.bar, make("ul", "facts", ...Object.values(row.facts)));
  return row;
}

function fact(row, part, text) {
  say(row[part], text);
  row.facts[part].hidden = text === "";
}

function fill(row, zone) {
  const words = WORDS[view.language];
  const state = stateOf(zone);
  row.item.dataset.state = state;
  say(row.name, zone.name || zone.zone);
  say(row.number, String(zone.free));
  say(row.unit, words.free(zone.free));
  say(row.of, words.of(zone.capacity));
  point(row.mark, state);
  say(row.state, words.states[state]);
  point(row.trendMark, zone.trend);
  say(row.trend, words.trends[zone.trend]);
  row.trendLine.hidden = zone.stale || zone.capacity === 0;
  [zone.occupied, zone.unknown, zone.free].forEach((bays, n) => {
    row.bar.children[n].style.flexGrow = bays;
    row.bar.children[n].hidden = bays === 0;
  });
  fact(row, "stale", zone.stale ? words.stale(timeText(zone.updated_at)) : "");
  fact(row, "range", zone.free_min < zone.free_max ? words.range(zone.free_min, zone.free_max, zone.unknown) : "");
  const next = soon(zone);
  fact(row, "soon", next ? words.soon(next.minutes, next.free, next.free_low, next.free_high, next.learning) : "");
  for (const need of ["disabled", "charging"]) {
    const bays = zone.restricted[need];
    fact(row, need, bays?.capacity ? words[need](bays.free, bays.capacity) : "");
  }
  fact(row, "closed", zone.closed ? words.closed(zone.closed) : "");
  const metres = metresTo(zone);
  say(row.distance, Number.isFinite(metres) ? words.away(distanceText(metres, view.language)) : "");
  row.facts.route.hidden = zone.lat === null || zone.lon === null;
  row.route.href = `https://www.openstreetmap.org/directions?to=${zone.lat}%2C${zone.lon}`;
  say(row.route, words.route);
  row.route.setAttribute("aria-label", words.routeTo(zone.name || zone.zone));
}

function showList(shown) {
  const list = byId("zones");
  for (const [name, row] of rows) {
    if (!zones.has(name)) {
      row.item.remove();
      rows.delete(name);
    }
  }
  const focused = document.activeElement;
  const items = shown.map((zone) => {
    if (!rows.has(zone.zone)) rows.set(zone.zone, makeRow(zone.zone));
    const row = rows.get(zone.zone);
    fill(row, zone);
    return row.item;
  });
  if (items.length !== list.children.length || items.some((item, n) => list.children[n] !== item)) {
    list.replaceChildren(...items);
    if (list.contains(focused)) focused.focus({ preventScroll: true });
  }
}

function show() {
  const words = WORDS[view.language];
  const shown = wanted();
  const sum = (part) => [...zones.values()].reduce((total, zone) => total + zone[part], 0);
  const newest = [...zones.values()].map((zone) => zone.updated_at).sort().at(-1);
  showList(shown);
  if (zones.size) {
    const [number, rest] = words.total(sum("free"), sum("capacity"));
    byId("total").replaceChildren(make("strong", "", number), ` ${rest}`);
  }
  say(byId("asof"), newest ? words.asOf(timeText(newest)) + (view.lost ? "" : ` · ${words.live}`) : "");
  byId("asof").classList.toggle("live", !view.lost && zones.size > 0);
  say(byId("notice"), view.lost ? words.lost : view.notice ? words[view.notice] : "");
  say(byId("empty"), zones.size === 0 ? (view.heard ? words.nobody : "") : shown.length === 0 ? words.none : "");
  showMap(shown);
}

/** The map is loaded when somebody comes to see it; without a zone that has a place there is none. */
function showMap(shown) {
  const placed = shown.filter((zone) => zone.lat !== null && zone.lon !== null);
  byId("map").closest("section").hidden = placed.length === 0;
  if (placed.length) plan?.show(placed, view.here, stateOf, WORDS[view.language]);
}

let plan;
const watch = new IntersectionObserver(async (entries) => {
  if (!entries.some((entry) => entry.isIntersecting)) return;
  watch.disconnect();
  const map = await import("./map.js");
  plan = await map.open(byId("map"), tiles);
  show();
});

let pending = 0;
function showSoon() {
  pending ||= setTimeout(() => {
    pending = 0;
    show();
  }, 40);
}

// ---- where it comes from ----

function take(zone) {
  const before = zones.get(zone.zone);
  if (before && before.free !== zone.free) changes.set(zone.zone, zone);
  zones.set(zone.zone, zone);
  showSoon();
}

async function load() {
  try {
    const answer = await fetch(PARKING, { cache: "no-cache" });
    if (!answer.ok) return;
    const parking = await answer.json();
    const named = new Set(parking.zones.map((zone) => zone.zone));
    for (const name of zones.keys()) if (!named.has(name)) zones.delete(name);
    parking.zones.forEach(take);
    view.heard = true;
    showSoon();
  } catch {
    // the stream says whether we are cut off
  }
}

function listen() {
  const stream = new EventSource(`${PARKING}/stream`);
  let losing = setTimeout(lose, LOST_AFTER_MS);
  function lose() {
    view.lost = true;
    showSoon();
  }
  stream.addEventListener("open", () => {
    clearTimeout(losing);
    losing = 0;
    view.lost = false;
    view.heard = true;
    showSoon();
  });
  stream.addEventListener("zone", (event) => take(JSON.parse(event.data)));
  stream.addEventListener("gone", (event) => {
    zones.delete(JSON.parse(event.data).zone);
    showSoon();
  });
  stream.addEventListener("error", () => {
    losing ||= setTimeout(lose, LOST_AFTER_MS);
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 2 * LOST_AFTER_MS);
  });
}

function speak() {
  if (!changes.size || document.hidden) return;
  const few = [...changes.values()].slice(0, SPOKEN_AT_ONCE).map((zone) => [zone.name || zone.zone, zone.free]);
  changes.clear();
  byId("spoken").textContent = WORDS[view.language].spoken(few);
}

// ---- what the visitor does ----

function speakLanguage(language) {
  const words = WORDS[language];
  const city = root.dataset.city;
  view.language = language;
  root.lang = HTML_LANGUAGES[language];
  document.title = city ? words.titleIn(city) : words.title;
  for (const element of document.querySelectorAll("[data-say]")) element.textContent = words[element.dataset.say];
  if (tiles.host) document.querySelector('[data-say="privacy"]').textContent = words.privacyTiles(tiles.host);
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", words[element.dataset.label]);
  for (const button of document.querySelectorAll("[data-lang]")) button.setAttribute("aria-pressed", button.dataset.lang === language);
  show();
}

function order(by) {
  view.order = by;
  for (const button of document.querySelectorAll("[data-order]")) button.setAttribute("aria-pressed", button.dataset.order === by);
  show();
}

function findMe() {
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      view.here = { lat: coords.latitude, lon: coords.longitude };
      view.notice = null;
      order("near");
    },
    () => {
      view.notice = "noPlace";
      show();
    },
    { maximumAge: 60_000, timeout: 15_000 },
  );
}

for (const button of document.querySelectorAll("[data-lang]")) {
  button.addEventListener("click", () => {
    history.replaceState(null, "", `?lang=${button.dataset.lang}`);
    speakLanguage(button.dataset.lang);
  });
}
for (const button of document.querySelectorAll("[data-order]")) {
  button.addEventListener("click", () => (button.dataset.order === "near" ? findMe() : order(button.dataset.order)));
  if (button.dataset.order === "near") button.hidden = !navigator.geolocation || !isSecureContext;
}
for (const button of document.querySelectorAll("[data-need]")) {
  button.addEventListener("click", () => {
    const need = button.dataset.need;
    if (!view.needs.delete(need)) view.needs.add(need);
    button.setAttribute("aria-pressed", view.needs.has(need));
    show();
  });
}
watch.observe(byId("map"));
setInterval(() => view.lost && load(), POLL_MS);
setInterval(speak, SPEAK_EVERY_MS);
speakLanguage(view.language);
load();
listen();
