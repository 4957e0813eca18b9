// The page's words in German, English and plain German; what depends on a number is a function of it.

const de = {
  title: "Freie Parkplätze",
  titleIn: (city) => `Freie Parkplätze in ${city}`,
  skip: "Zur Liste der Parkzonen",
  zones: "Parkzonen",
  order: "Reihenfolge",
  byName: "A–Z",
  byFree: "Meiste frei",
  byNear: "In der Nähe",
  needs: "Nur Zonen mit freiem",
  needDisabled: "Behindertenplatz",
  needCharging: "Ladeplatz",
  map: "Lageplan",
  mapHint: "Lage der Zonen zueinander; Norden ist oben.",
  zoomIn: "Näher heran",
  zoomOut: "Weiter weg",
  showTiles: (host) => `Straßenkarte von ${host} laden`,
  honest: "Gezählt wird jeder Stellplatz einzeln. Meldet sich ein Sensor nicht, gilt sein Platz als unbekannt, nie als frei.",
  privacy: "Keine Cookies, keine Dienste Dritter; Ihr Standort verlässt dieses Gerät nicht.",
  privacyTiles: (host) =>
    `Keine Cookies. Nur wenn Sie die Straßenkarte laden, erfährt ${host} Ihre Internetadresse und den gezeigten Ausschnitt.`,
  openData: "Offene Daten (JSON)",
  docs: "Schnittstelle",
  imprint: "Impressum",
  dataProtection: "Datenschutz",
  accessibility: "Barrierefreiheit",
  total: (free, capacity) => [`${free}`, `von ${capacity} Plätzen sind gerade frei`],
  asOf: (time) => `Stand ${time} Uhr`,
  live: "wird laufend aktualisiert",
  free: (n) => (n === 1 ? "Platz frei" : "Plätze frei"),
  of: (capacity) => `von ${capacity}`,
  states: { free: "Plätze frei", few: "Fast voll", full: "Voll belegt", unsure: "Unsicher", closed: "Gesperrt" },
  trends: { filling: "wird voller", steady: "gleichbleibend", emptying: "wird leerer" },
  range: (low, high, silent) =>
    `Sicher ${low}, höchstens ${high}` + (silent ? ` (${silent} ${silent === 1 ? "Platz meldet" : "Plätze melden"} sich nicht)` : ""),
  soon: (minutes, free, low, high, learning) =>
    `In ${minutes} Min. etwa ${free} frei` + (learning ? " (erste Schätzung)" : low < high ? ` (${low} bis ${high})` : ""),
  closed: (n) => `${n} ${n === 1 ? "Platz" : "Plätze"} gesperrt`,
  disabled: (free, capacity) => `Behindertenplätze: ${free} von ${capacity} frei`,
  charging: (free, capacity) => `Ladeplätze: ${free} von ${capacity} frei`,
  stale: (time) => `Angaben möglicherweise veraltet, Stand ${time} Uhr`,
  route: "Route",
  routeTo: (name) => `Route nach ${name} (OpenStreetMap)`,
  away: (distance) => `${distance} entfernt`,
  nobody: "Zurzeit liegen keine Angaben zu Parkzonen vor.",
  none: "Zurzeit hat keine Zone einen solchen freien Platz.",
  lost: "Die Live-Verbindung ist unterbrochen; die Zahlen können veraltet sein. Wir verbinden neu …",
  noPlace: "Ihr Standort ist nicht verfügbar. Bitte erlauben Sie ihn im Browser.",
  you: "Ihr Standort",
  keyTaken: "belegt",
  keySilent: "unbekannt",
  keyOpen: "frei",
  spoken: (changes) => changes.map(([name, free]) => `${name}: ${free} frei`).join(", "),
};

const en = {
  title: "Available parking",
  titleIn: (city) => `Available parking in ${city}`,
  skip: "Skip to the list of parking zones",
  zones: "Parking zones",
  order: "Order",
  byName: "A–Z",
  byFree: "Most free",
  byNear: "Near me",
  needs: "Only zones with a free",
  needDisabled: "accessible bay",
  needCharging: "charging bay",
  map: "Map",
  mapHint: "Where the zones lie to each other; north is up.",
  zoomIn: "Zoom in",
  zoomOut: "Zoom out",
  showTiles: (host) => `Load the street map from ${host}`,
  honest: "Every bay is counted by itself. A bay whose sensor is silent counts as unknown, never as free.",
  privacy: "No cookies, no third parties; your location does not leave this device.",
  privacyTiles: (host) =>
    `No cookies. Only if you load the street map does ${host} learn your internet address and the part that is shown.`,
  openData: "Open data (JSON)",
  docs: "Interface",
  imprint: "Imprint",
  dataProtection: "Privacy",
  accessibility: "Accessibility",
  total: (free, capacity) => [`${free}`, `of ${capacity} bays are free right now`],
  asOf: (time) => `As of ${time}`,
  live: "updated live",
  free: (n) => (n === 1 ? "bay free" : "bays free"),
  of: (capacity) => `of ${capacity}`,
  states: { free: "Available", few: "Almost full", full: "Full", unsure: "Uncertain", closed: "Closed" },
  trends: { filling: "filling up", steady: "steady", emptying: "emptying" },
  range: (low, high, silent) =>
    `At least ${low}, at most ${high}` + (silent ? ` (${silent} ${silent === 1 ? "bay does" : "bays do"} not report)` : ""),
  soon: (minutes, free, low, high, learning) =>
    `In ${minutes} min about ${free} free` + (learning ? " (a first guess)" : low < high ? ` (${low} to ${high})` : ""),
  closed: (n) => `${n} ${n === 1 ? "bay" : "bays"} closed`,
  disabled: (free, capacity) => `Accessible bays: ${free} of ${capacity} free`,
  charging: (free, capacity) => `Charging bays: ${free} of ${capacity} free`,
  stale: (time) => `May be out of date, as of ${time}`,
  route: "Directions",
  routeTo: (name) => `Directions to ${name} (OpenStreetMap)`,
  away: (distance) => `${distance} away`,
  nobody: "There is no word on parking zones at the moment.",
  none: "No zone has such a free bay at the moment.",
  lost: "The live connection is interrupted; figures may be out of date. Reconnecting …",
  noPlace: "Your location is not available. Please allow it in the browser.",
  you: "Your location",
  keyTaken: "occupied",
  keySilent: "unknown",
  keyOpen: "free",
  spoken: (changes) => changes.map(([name, free]) => `${name}: ${free} free`).join(", "),
};

const simple = {
  ...de,
  zones: "Hier können Sie parken",
  byFree: "Viel Platz zuerst",
  needs: "Ich brauche",
  needDisabled: "Platz für Menschen mit Behinderung",
  needCharging: "Platz mit Strom für E-Autos",
  map: "Karte",
  mapHint: "Die Karte zeigt: Hier liegen die Park-Plätze.",
  zoomIn: "Größer",
  zoomOut: "Kleiner",
  showTiles: (host) => `Karte mit Straßen zeigen. Sie kommt von ${host}.`,
  honest: "Wir zählen jeden Platz einzeln. Manchmal meldet sich ein Messgerät nicht. Dann sagen wir nicht: Der Platz ist frei.",
  privacy: "Wir speichern nichts über Sie. Wir wissen nicht, wo Sie sind.",
  privacyTiles: (host) =>
    `Wir speichern nichts über Sie. Aber: Wenn Sie die Karte mit Straßen zeigen, weiß ${host}, wo Ihr Gerät im Internet ist.`,
  openData: "Daten für Computer (JSON)",
  docs: "Hilfe für Programmierer",
  total: (free, capacity) => [`${free}`, `Plätze sind jetzt frei. Es gibt ${capacity} Plätze.`],
  asOf: (time) => `Das war um ${time} Uhr so`,
  live: "Die Zahlen ändern sich von selbst",
  states: { free: "Es gibt freie Plätze", few: "Es gibt nur noch wenige Plätze", full: "Alles voll", unsure: "Das wissen wir gerade nicht genau", closed: "Geschlossen" },
  trends: { filling: "Es wird voller", steady: "Es bleibt so", emptying: "Es wird leerer" },
  range: (low, high) => `Es sind mindestens ${low} Plätze frei und höchstens ${high}.`,
  soon: (minutes, free) => `In ${minutes} Minuten sind vielleicht ${free} Plätze frei.`,
  closed: (n) => (n === 1 ? "1 Platz ist geschlossen." : `${n} Plätze sind geschlossen.`),
  disabled: (free, capacity) => `Plätze für Menschen mit Behinderung: ${free} von ${capacity} sind frei.`,
  charging: (free, capacity) => `Plätze mit Strom für E-Autos: ${free} von ${capacity} sind frei.`,
  stale: (time) => `Achtung: Diese Zahlen sind alt. Sie sind von ${time} Uhr.`,
  route: "Der Weg dorthin",
  routeTo: (name) => `Der Weg dorthin: ${name} (OpenStreetMap)`,
  nobody: "Wir haben gerade keine Zahlen.",
  none: "So ein Platz ist gerade nicht frei.",
  lost: "Wir bekommen gerade keine neuen Zahlen. Die Zahlen hier können falsch sein. Bitte warten Sie.",
  noPlace: "Wir wissen nicht, wo Sie sind. Bitte erlauben Sie das in Ihrem Gerät.",
  you: "Hier sind Sie",
  keyTaken: "besetzt",
  keySilent: "wissen wir nicht",
};

export const WORDS = { de, en, simple };

/** How each language writes times and numbers here; the town is in Europe. */
export const LOCALES = { de: "de-DE", en: "en-GB", simple: "de-DE" };

/** What the page says its language is (BCP 47; `simple` is a registered variant). */
export const HTML_LANGUAGES = { de: "de", en: "en", simple: "de-simple" };

/** The first of the visitor's languages that we speak; `?lang=` goes before them. */
export function preferredLanguage(query, languages) {
  const wished = [new URLSearchParams(query).get("lang"), ...languages].map((each) => (each || "").toLowerCase());
  const spoken = (each) => (each === "simple" || each.endsWith("-simple") ? "simple" : each.slice(0, 2));
  return wished.map(spoken).find((each) => each in WORDS) || "en";
}

/** A distance as people say it. */
export function distanceText(metres, language) {
  if (metres < 950) return `${Math.max(10, Math.round(metres / 10) * 10)} m`;
  return `${(metres / 1000).toLocaleString(LOCALES[language], { maximumFractionDigits: 1 })} km`;
}
