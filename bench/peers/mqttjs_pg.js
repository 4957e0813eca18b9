// mqtt.js and pg, batched by hand: 5,000 rows or 200 ms in one INSERT … SELECT unnest.
//
//   mqttjs_pg.js MQTT_URL DATABASE_URL
//
// Idempotent by ON CONFLICT DO NOTHING. mqtt.js acknowledges on receipt, before the INSERT: what waits in a batch when
// the process dies is lost.
"use strict";
const mqtt = require("mqtt");
const { Pool } = require("pg");

const ROWS_MAX = 5000;
const AGE_MS_MAX = 200;
const WRITERS = 2;
const FIELDS = ["seq", "level_pct", "setpoint_pct", "power_w", "energy_kwh", "voltage_v", "lux", "motion", "temp_c",
  "lamp_fault"];
const INSERT = `
  INSERT INTO streetlight (observed_at, asset_id, received_at, ${FIELDS.join(", ")})
  SELECT to_timestamp(ts / 1000.0), asset_id, clock_timestamp(), ${FIELDS.join(", ")}
  FROM unnest($1::float8[], $2::int[], $3::bigint[], $4::float8[], $5::float8[], $6::float8[], $7::float8[],
              $8::float8[], $9::float8[], $10::int[], $11::float8[], $12::bool[]) AS n (ts, asset_id, ${FIELDS.join(", ")})
  ON CONFLICT DO NOTHING`;

const [, , mqttUrl, databaseUrl] = process.argv;
const pool = new Pool({ connectionString: databaseUrl, max: WRITERS });
const client = mqtt.connect(mqttUrl, { clean: true });

const empty = () => Array.from({ length: FIELDS.length + 2 }, () => []);
let columns = empty();
let writing = 0;

async function flush() {
  if (!columns[0].length || writing >= WRITERS) return;
  const batch = columns;
  columns = empty();
  writing++;
  try {
    await pool.query({ name: "insert", text: INSERT, values: batch });
  } finally {
    writing--;
    if (columns[0].length >= ROWS_MAX) flush();
  }
}

client.on("message", (topic, payload) => {
  const reading = JSON.parse(payload);
  columns[0].push(reading.ts);
  columns[1].push(Number(topic.split("/")[3].slice("lamp-".length)));
  for (let i = 0; i < FIELDS.length; i++) columns[i + 2].push(reading[FIELDS[i]]);
  if (columns[0].length >= ROWS_MAX) flush();
});
client.on("connect", () => client.subscribe("city/v1/+/+/telemetry", { qos: 1 }, () => console.log("ready")));
setInterval(flush, AGE_MS_MAX);
