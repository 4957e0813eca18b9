/* The figures behind an alarm as people read them: what a key means, in which unit, and times of the town by name. */

const UNITS = [ /* the longest ending first */
  ["_m_per_min", "m/min"], ["_mm_h", "mm/h"], ["_m_h", "m/h"], ["_pct", "%"], ["_kwh", "kWh"], ["_days", "days"],
  ["_bytes", "bytes"], ["_m", "m"], ["_v", "V"], ["_w", "W"], ["_s", "s"],
];
const BOUNDS = { _max: "at most", _min: "at least" };
const LABELS = {
  age_s: "oldest message waits", at_least: "note", bytes: "waiting bytes", changes_of_the_zones_median_bay: "changes of the zone's median bay",
  filled_pct: "queue filled", from: "measured by", fault: "fault", least: "members at least", mm_h: "intensity", messages: "waiting messages",
  points: "points apart", raise_pct: "raised from", clear_pct: "over below", says: "that is", read_m: "sensor read", stuck_after_s: "stuck after",
};
const STEPS = [["day", 86_400], ["h", 3_600], ["min", 60], ["s", 1]];

/** 5400 → "1 h 30 min". */
export function duration(seconds) {
  let left = Math.round(seconds);
  if (Math.abs(seconds) < 60) return `${number(seconds)} s`;
  const parts = [];
  for (const [name, length] of STEPS) {
    const count = Math.trunc(left / length);
    left -= count * length;
    if (count) parts.push(`${count} ${name === "day" && count !== 1 ? "days" : name}`);
  }
  return parts.slice(0, 2).join(" ");
}

function number(value) {
  return value.toLocaleString("en-GB", { maximumFractionDigits: 4 });
}

/** A moment as the town's clocks show it, with the name of their zone. */
export function moment(text, timeZone) {
  return new Date(text).toLocaleString("en-GB", {
    day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
    hourCycle: "h23", timeZone, timeZoneName: "short",
  });
}

function taken(key) {
  const bound = Object.keys(BOUNDS).find((each) => key.endsWith(each) && !key.endsWith("_per_min"));
  const bare = bound ? key.slice(0, -bound.length) : key;
  const [end, unit] = UNITS.find(([each]) => `_${bare}`.endsWith(each)) ?? ["", ""];
  return { bare, end, unit, bound: BOUNDS[bound] };
}

/** What a key says, without its unit. */
export function label(key) {
  const { bare, end, bound } = taken(key);
  const plain = (end && bare.endsWith(end) ? bare.slice(0, -end.length) : bare).replace(/_at$/, "").replaceAll("_", " ");
  return LABELS[key] ?? (bound ? `${plain}, ${bound}` : plain);
}

/** What stands at a key, with its unit. */
export function shown(key, value, timeZone) {
  if (value === null || value === undefined) return "unknown";
  if (Array.isArray(value)) return value.map((each) => shown(key, each, timeZone)).join(typeof value[0] === "object" ? "; " : ", ") || "none";
  if (typeof value === "object") return Object.entries(value).map(([name, each]) => `${label(name)} ${shown(name, each, timeZone)}`).join(", ");
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value !== "number") return /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(value) ? moment(value, timeZone) : String(value);
  const { unit } = taken(key);
  if (unit === "s") return duration(value);
  return unit ? `${number(value)} ${unit}` : number(value);
}
