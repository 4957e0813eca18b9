// The map: Leaflet (leaflet.js, as published; BSD-2-Clause) over a plain ground of our own, or over tiles that a town names.
// Loaded when somebody comes to see it. Signs that would cover each other move apart and stay tied to their places.

import "./leaflet.js";

const { L } = window;
const GAP = { x: 6, y: 4 };
const TIED_FROM_PX = 14;
const ZOOM = { least: 3, fitted: 16, most: 19 };
const MARGIN_PX = 84;

/** Squares and nothing else, drawn by the style sheet: no request, in every colour scheme. */
const Ground = L.GridLayer.extend({ createTile: () => make("div", "ground") });

function make(tag, name, ...children) {
  const element = document.createElement(tag);
  element.className = name;
  element.append(...children);
  return element;
}

function mark() {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS("http://www.w3.org/2000/svg", "use"));
  return svg;
}

function loadStyle(name) {
  const link = document.createElement("link");
  const loaded = new Promise((done) => (link.onload = link.onerror = done));
  link.rel = "stylesheet";
  link.href = new URL(name, import.meta.url);
  document.head.append(link);
  return loaded;
}

/** Room for signs at the edge, less where there is little; `below` for what stands at the foot. */
function margin(map, below = 0) {
  const side = Math.min(MARGIN_PX, 0.19 * map.getSize().x);
  return { paddingTopLeft: [side, 40], paddingBottomRight: [side, 56 + below], animate: false };
}

/** Something of ours at a place; where it stands beside the place is for the style sheet. */
const stand = (element) => L.divIcon({ className: "place", iconSize: [0, 0], html: element });

/** The sign of a zone: what it says is set by `say`, how far it stands from its place by `spread`. */
function makePin(zone, map) {
  const place = [zone.lat, zone.lon];
  const pin = { place, tie: make("i", "tie"), caption: make("span", "caption"), figure: make("span", ""), meaning: make("span", "spoken"), mark: mark() };
  pin.link = make("a", "pin", make("span", "label", pin.caption), " ", make("span", "plate", pin.mark, pin.figure), " ", pin.meaning);
  pin.link.href = `#zone-${zone.zone}`;
  pin.link.draggable = false;
  pin.link.addEventListener("click", (event) => event.preventDefault());
  pin.link.addEventListener("focus", () => map.panInside(place, margin(map)));
  pin.marker = L.marker(place, { icon: stand(make("div", "", pin.tie, pin.link)), keyboard: false });
  pin.marker.on("click", () => {
    const row = document.getElementById(`zone-${zone.zone}`);
    row?.focus({ preventScroll: true });
    row?.scrollIntoView({ block: "center" });
  });
  return pin;
}

function say(pin, zone, state, words) {
  const figure = state === "closed" ? "–" : state === "unsure" ? `${zone.free}?` : `${zone.free}`;
  pin.link.dataset.state = state;
  pin.mark.firstChild.setAttribute("href", `#i-${state}`);
  pin.figure.textContent = figure;
  pin.caption.textContent = zone.name || zone.zone;
  pin.meaning.textContent = `${words.keyOpen} (${words.states[state]})`;
}

/** Push signs apart that would cover each other; `x` and `y` are their middles, in pixels. */
function pushApart(signs) {
  for (let round = 0; round < 80; round += 1) {
    let still = true;
    for (const [n, a] of signs.entries()) {
      for (const b of signs.slice(n + 1)) {
        const [dx, dy] = [b.x - a.x, b.y - a.y];
        const overX = (a.width + b.width) / 2 + GAP.x - Math.abs(dx);
        const overY = (a.height + b.height) / 2 + GAP.y - Math.abs(dy);
        if (overX <= 0 || overY <= 0) continue;
        still = false;
        const [axis, push] = overX < overY ? ["x", overX * (dx < 0 ? -1 : 1)] : ["y", overY * (dy < 0 ? -1 : 1)];
        a[axis] -= push / 2;
        b[axis] += push / 2;
      }
    }
    if (still) return;
  }
}

/** Stand each sign where it covers no other, at the present zoom. */
function spread(pins, map) {
  const signs = pins.map((pin) => {
    const { x, y } = map.latLngToLayerPoint(pin.place);
    return { pin, x, y, at: { x, y }, width: pin.link.offsetWidth, height: pin.link.offsetHeight };
  });
  pushApart(signs);
  for (const { pin, x, y, at } of signs) {
    const [dx, dy] = [x - at.x, y - at.y];
    const length = Math.hypot(dx, dy);
    pin.link.style.transform = `translate(calc(-50% + ${dx.toFixed(1)}px), calc(-50% + ${dy.toFixed(1)}px))`;
    pin.tie.style.width = `${length.toFixed(1)}px`;
    pin.tie.style.transform = `rotate(${Math.atan2(dy, dx).toFixed(3)}rad)`;
    pin.tie.hidden = length < TIED_FROM_PX;
  }
}

/** A maker's words as text, with their URLs as links. */
function linked(text) {
  const parts = text.split(/(https:\/\/\S+)/).map((part, n) => {
    if (n % 2 === 0) return part;
    const link = make("a", "", new URL(part).host);
    link.href = part;
    return link;
  });
  return make("span", "", ...parts).outerHTML;
}

/** A town's tiles: at once where they are our own, by a button where somebody else's server would learn who asks. */
function addTiles(map, ground, tiles) {
  const layer = L.tileLayer(tiles.url, {
    className: "tiles", maxZoom: ZOOM.most, attribution: linked(tiles.maker), referrerPolicy: "origin",
  });
  const begin = () => map.removeLayer(ground).addLayer(layer);
  if (!tiles.host) {
    begin();
    return undefined;
  }
  const button = make("button", "offer");
  button.type = "button";
  button.addEventListener("click", () => {
    begin();
    offer.remove();
    map.getContainer().focus();
  });
  L.DomEvent.disableClickPropagation(button);
  const offer = new (L.Control.extend({ onAdd: () => button }))({ position: "bottomleft" }).addTo(map);
  return button;
}

class Plan {
  constructor(container, tiles) {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.map = L.map(container, {
      zoomControl: true, minZoom: ZOOM.least, maxZoom: ZOOM.most, zoomSnap: 0.5, scrollWheelZoom: false, zoomAnimation: !calm, fadeAnimation: !calm,
      // one finger scrolls the page, two move the map
      dragging: !matchMedia("(pointer: coarse)").matches,
    });
    this.map.attributionControl.setPrefix(false);
    this.pins = new Map();
    this.key = "";
    const ground = new Ground({ maxZoom: ZOOM.most }).addTo(this.map);
    this.offer = tiles.url ? addTiles(this.map, ground, tiles) : undefined;
    this.host = tiles.host;
    L.control.scale({ imperial: false, position: "bottomright" }).addTo(this.map);
    this.map.on("focus", () => this.map.scrollWheelZoom.enable()).on("blur", () => this.map.scrollWheelZoom.disable());
    this.map.on("zoomend", () => spread([...this.pins.values()], this.map));
    new ResizeObserver(() => {
      this.map.invalidateSize({ animate: false });
      this.fit();
    }).observe(container);
  }

  /** Show zones that have a place, and the visitor's; anew only where these changed. */
  show(zones, here, stateOf, words) {
    const key = JSON.stringify([here, zones.map((zone) => [zone.zone, zone.name, zone.lat, zone.lon]).sort()]);
    if (key !== this.key) this.set(zones, here);
    for (const zone of zones) say(this.pins.get(zone.zone), zone, stateOf(zone), words);
    this.speak(words);
    if (key !== this.key) this.fit();
    this.key = key;
  }

  set(zones, here) {
    for (const pin of this.pins.values()) pin.marker.remove();
    this.you?.remove();
    this.pins = new Map([...zones].sort((a, b) => a.name.localeCompare(b.name)).map((zone) => [zone.zone, makePin(zone, this.map)]));
    this.bounds = L.latLngBounds([...this.pins.values()].map((pin) => pin.place));
    if (here) this.bounds.extend([here.lat, here.lon]);
    this.map.fitBounds(this.bounds, { maxZoom: ZOOM.fitted, animate: false });
    for (const pin of this.pins.values()) pin.marker.addTo(this.map);
    this.label = make("span", "caption");
    this.you = here && L.marker([here.lat, here.lon], { icon: stand(make("div", "here", make("span", "label", this.label))), keyboard: false, interactive: false, zIndexOffset: -1_000 }).addTo(this.map);
  }

  fit() {
    if (!this.bounds?.isValid()) return;
    this.map.fitBounds(this.bounds, { ...margin(this.map, this.offer?.offsetHeight), maxZoom: ZOOM.fitted });
    spread([...this.pins.values()], this.map);
  }

  speak(words) {
    this.label.textContent = words.you;
    for (const [name, text] of [["in", words.zoomIn], ["out", words.zoomOut]]) {
      const button = this.map.getContainer().querySelector(`.leaflet-control-zoom-${name}`);
      button.title = text;
      button.setAttribute("aria-label", text);
    }
    if (this.offer) this.offer.textContent = words.showTiles(this.host);
  }
}

/** Open the map in an element; `tiles` are `url`, `maker`, and `host` where it is somebody else's. */
export async function open(container, tiles) {
  await loadStyle("leaflet.css");
  await loadStyle("map.css");
  return new Plan(container, tiles);
}
