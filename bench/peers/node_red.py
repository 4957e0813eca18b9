"""Node-RED flows, written and started: `node_red.py single|batched NODE_RED MQTT_URL DATABASE_URL FOLDER`.

`single` is what the documentation shows: MQTT in, a function that picks the values, an INSERT a message. `batched` is
what a practised user makes of it: the function collects 5,000 rows or 200 ms, and one statement stores them. Both are
idempotent by ON CONFLICT DO NOTHING. Node-RED acknowledges on receipt: what is on its way inside when it dies is lost.
"""

import json
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

FIELDS = ("seq", "level_pct", "setpoint_pct", "power_w", "energy_kwh", "voltage_v", "lux", "motion", "temp_c",
          "lamp_fault")  # fmt: skip
TYPES = ("bigint", *["float8"] * 6, "int", "float8", "bool")
NAMES = ", ".join(FIELDS)
SINGLE_SQL = f"""
    INSERT INTO streetlight (observed_at, asset_id, received_at, {NAMES})
    VALUES (to_timestamp($1 / 1000.0), $2, clock_timestamp(), {", ".join(f"${n + 3}" for n in range(len(FIELDS)))})
    ON CONFLICT DO NOTHING"""
BATCHED_SQL = f"""
    INSERT INTO streetlight (observed_at, asset_id, received_at, {NAMES})
    SELECT to_timestamp(ts / 1000.0), asset_id, clock_timestamp(), {NAMES}
    FROM unnest($1::float8[], $2::int[], {", ".join(f"${n + 3}::{kind}[]" for n, kind in enumerate(TYPES))})
        AS n (ts, asset_id, {NAMES})
    ON CONFLICT DO NOTHING"""
PICK = f"""
    const p = msg.payload;
    const row = [p.ts, Number(msg.topic.split("/")[3].slice(5)), {", ".join(f"p.{name}" for name in FIELDS)}];"""
SINGLE_JS = PICK + "return {params: row};"
BATCHED_JS = f"""
    const empty = () => Array.from({{length: {len(FIELDS) + 2}}}, () => []);
    let batch = context.get("batch");
    if (!batch) context.set("batch", batch = empty());
    if (!msg.tick) {{
        {PICK}
        for (let i = 0; i < row.length; i++) batch[i].push(row[i]);
        if (batch[0].length < 5000) return null;
    }}
    if (!batch[0].length) return null;
    context.set("batch", empty());
    return {{params: batch}};"""
SETTINGS = """module.exports = {
    flowFile: "flows.json", credentialSecret: false, httpAdminRoot: false, httpNodeRoot: false,
    uiHost: "127.0.0.1", uiPort: 0, logging: {console: {level: "info", metrics: false, audit: false}},
};
"""


def flow(how: str, mqtt_url: str, database_url: str) -> list[dict[str, object]]:
    """The nodes."""
    broker, database = urlsplit(mqtt_url), urlsplit(database_url)
    server = {
        "host": database.hostname, "port": str(database.port), "database": database.path.lstrip("/"), "ssl": "false",
        "user": database.username, "password": database.password, "max": "10", "min": "1", "idle": "10000",
        "connectionTimeout": "10000",
    }  # fmt: skip
    numbers = ("port", "max", "min", "idle", "connectionTimeout")
    types = {f"{name}FieldType": "num" if name in numbers else "bool" if name == "ssl" else "str" for name in server}
    nodes: list[dict[str, object]] = [
        {"id": "tab", "type": "tab", "label": "readings"},
        {
            "id": "broker", "type": "mqtt-broker", "broker": broker.hostname, "port": str(broker.port), "clientid": "",
            "autoConnect": True, "usetls": False, "protocolVersion": "4", "keepalive": "60", "cleansession": True,
        },
        {
            "id": "in", "type": "mqtt in", "z": "tab", "topic": "city/v1/+/+/telemetry", "qos": "1", "datatype": "json",
            "broker": "broker", "nl": False, "rap": True, "rh": 0, "inputs": 0, "wires": [["pick"]],
        },
        {
            "id": "pick", "type": "function", "z": "tab", "func": SINGLE_JS if how == "single" else BATCHED_JS,
            "outputs": 1, "wires": [["store"]],
        },
        {"id": "server", "type": "postgresDB", "name": "", **server, **types},
        {
            "id": "store", "type": "postgrestor", "z": "tab", "query": SINGLE_SQL if how == "single" else BATCHED_SQL,
            "postgresDB": "server", "wires": [[]],
        },
    ]  # fmt: skip
    if how == "batched":
        nodes.append({
            "id": "tick", "type": "inject", "z": "tab", "props": [{"p": "tick", "v": "true", "vt": "bool"}],
            "repeat": "0.2", "once": True, "onceDelay": 0.1, "wires": [["pick"]],
        })  # fmt: skip
    return nodes


def main(how: str, node_red: str, mqtt_url: str, database_url: str, folder: str) -> None:
    """Write the flow and become Node-RED."""
    home = Path(folder)
    home.mkdir(parents=True, exist_ok=True)
    broker = urlsplit(mqtt_url)
    (home / "flows.json").write_text(json.dumps(flow(how, mqtt_url, database_url)))
    (home / "flows_cred.json").write_text(
        json.dumps({"broker": {"user": broker.username, "password": broker.password}})
    )
    (home / "settings.js").write_text(SETTINGS)
    os.execvp("node", ["node", node_red, "--userDir", str(home), "--settings", str(home / "settings.js")])


main(*sys.argv[1:])
