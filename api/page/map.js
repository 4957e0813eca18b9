// A plain map of our own: where the zones lie to each other, with a grid, a scale and north up. No tiles, no requests.

const SVG = "http://www.w3.org/2000/svg";
const METRES_PER_DEGREE = 111_195;
const PADDING = { x: 64, top: 44, bottom: 88 };
const PIN = { width: 52, height: 30 };
const LEAST_SPAN_M = 300;

function make(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** 1, 2 or 5 times a power of ten, not above `most`. */
function roundDown(most) {
  const power = 10 ** Math.floor(Math.log10(most));
  return [5, 2, 1].map((factor) => factor * power).find((length) => length <= most);
}

/** Places in pixels of a frame; metres east and north of the middle, drawn to the same scale both ways. */
function project(places, width, height) {
  const lats = places.map((place) => place.lat);
  const lons = places.map((place) => place.lon);
  const middle = (values) => (Math.min(...values) + Math.max(...values)) / 2;
  const [lat, lon] = [middle(lats), middle(lons)];
  const east = (place) => (place.lon - lon) * METRES_PER_DEGREE * Math.cos((lat * Math.PI) / 180);
  const north = (place) => (place.lat - lat) * METRES_PER_DEGREE;
  const span = (values) => Math.max(LEAST_SPAN_M, Math.max(...values) - Math.min(...values));
  const scale = Math.min(
    (width - 2 * PADDING.x) / span(places.map(east)),
    (height - PADDING.top - PADDING.bottom) / span(places.map(north)),
  );
  const centre = PADDING.top + (height - PADDING.top - PADDING.bottom) / 2;
  return { scale, at: (place) => ({ x: width / 2 + east(place) * scale, y: centre - north(place) * scale }) };
}

/** Push signs apart that would cover each other; each stays tied to its place by a line. */
function spread(signs, width, height) {
  for (let round = 0; round < 80; round += 1) {
    for (const a of signs) {
      for (const b of signs) {
        if (a === b) continue;
        const dx = b.x - a.x;
        const dy = b.y - a.y;
        const overX = (a.width + b.width) / 2 + 6 - Math.abs(dx);
        const overY = a.height + 4 - Math.abs(dy);
        if (overX <= 0 || overY <= 0) continue;
        if (overX < overY) {
          const push = (overX / 2) * (dx < 0 ? -1 : 1);
          a.x -= push;
          b.x += push;
        } else {
          const push = (overY / 2) * (dy < 0 ? -1 : 1);
          a.y -= push;
          b.y += push;
        }
      }
    }
    for (const sign of signs) {
      sign.x = Math.min(width - sign.width / 2 - 6, Math.max(sign.width / 2 + 6, sign.x));
      sign.y = Math.min(height - PADDING.bottom + 6, Math.max(20, sign.y));
    }
  }
}

function grid(width, height, scale, step) {
  const lines = [];
  for (let x = (width / 2) % (step * scale); x < width; x += step * scale) lines.push(`M${x.toFixed(1)} 0V${height}`);
  for (let y = (height / 2) % (step * scale); y < height; y += step * scale) lines.push(`M0 ${y.toFixed(1)}H${width}`);
  return make("path", { class: "grid", d: lines.join("") });
}

function legend(width, height, scale, step) {
  const length = step * scale;
  const text = step >= 1000 ? `${step / 1000} km` : `${step} m`;
  return make(
    "g",
    { class: "legend", "aria-hidden": "true" },
    make("path", { d: `M16 ${height - 20}v6h${length.toFixed(1)}v-6` }),
    make("text", { x: 16 + length / 2, y: height - 20, "text-anchor": "middle" }, text),
    make("path", { class: "arrow", d: `M${width - 22} 14l6 16-6-4-6 4Z` }),
    make("text", { x: width - 22, y: 44, "text-anchor": "middle" }, "N"),
  );
}

function pin(sign) {
  const left = sign.x - PIN.width / 2;
  const link = make(
    "a",
    { href: `#zone-${sign.zone.zone}`, class: "pin" },
    make("rect", { x: left, y: sign.y - PIN.height / 2, width: PIN.width, height: PIN.height, rx: 6 }),
    make("text", { class: "label", x: sign.x, y: sign.y + PIN.height / 2 + 16, "text-anchor": "middle" }, sign.text),
    " ",
    make("text", { class: "figure", x: sign.x, y: sign.y + 6, "text-anchor": "middle" }),
  );
  link.addEventListener("click", (event) => {
    const row = document.getElementById(`zone-${sign.zone.zone}`);
    event.preventDefault();
    row?.focus({ preventScroll: true });
    row?.scrollIntoView({ block: "center" });
  });
  return link;
}

let drawn = { key: "", pins: new Map() };

function draw(container, zones, here, width, words) {
  const height = Math.round(Math.max(300, Math.min(560, width)));
  const { scale, at } = project(here ? [...zones, here] : zones, width, height);
  const step = roundDown(Math.min(width / 3, 150) / scale);
  const signs = zones.map((zone) => {
    const text = zone.name || zone.zone;
    return { zone, text, place: at(zone), ...at(zone), width: Math.max(PIN.width, text.length * 7.2), height: PIN.height + 20 };
  });
  spread(signs, width, height);
  const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-labelledby": "map-head" });
  svg.append(grid(width, height, scale, step), legend(width, height, scale, step));
  for (const { x, y, place } of signs) {
    if (Math.hypot(x - place.x, y - place.y) < PIN.height) continue;
    svg.append(make("path", { class: "tie", d: `M${place.x} ${place.y}L${x} ${y}` }), make("circle", { class: "spot", cx: place.x, cy: place.y, r: 4 }));
  }
  if (here) {
    const { x, y } = at(here);
    svg.append(make("g", { class: "here" }, make("circle", { class: "halo", cx: x, cy: y, r: 15 }), make("circle", { cx: x, cy: y, r: 7 }), make("title", {}, words.you)));
  }
  drawn.pins = new Map(signs.map((sign) => [sign.zone.zone, svg.appendChild(pin(sign))]));
  container.replaceChildren(svg);
}

/** Show the zones that have a place; drawn anew only where places, names or the frame changed. */
export function drawMap(container, zones, here, { stateOf, words }) {
  const placed = zones.filter((zone) => zone.lat !== null && zone.lon !== null).sort((a, b) => a.zone.localeCompare(b.zone));
  const width = Math.floor(container.clientWidth);
  container.closest("section").hidden = placed.length === 0;
  if (!placed.length || !width) return;
  const key = JSON.stringify([width, here, words.you, placed.map((zone) => [zone.zone, zone.name, zone.lat, zone.lon])]);
  if (key !== drawn.key) {
    draw(container, placed, here, width, words);
    drawn.key = key;
  }
  for (const zone of placed) {
    const link = drawn.pins.get(zone.zone);
    const state = stateOf(zone);
    link.dataset.state = state;
    const figure = state === "closed" ? "–" : state === "unsure" ? `${zone.free}?` : `${zone.free}`;
    link.setAttribute("aria-label", `${zone.name || zone.zone} ${figure} ${words.keyOpen} (${words.states[state]})`);
    link.querySelector(".figure").textContent = figure;
  }
}
