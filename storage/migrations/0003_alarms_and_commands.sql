-- What the rules decided: alarms with their history, commands with their states, and the rules' own memory.

CREATE TABLE rule_version (
    version     text PRIMARY KEY,
    content     text NOT NULL,
    author      text NOT NULL,
    active_from timestamptz NOT NULL
);

CREATE TABLE alarm (
    id              text PRIMARY KEY,
    subject         text NOT NULL,
    asset           text,
    type            text NOT NULL,
    severity        text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    state           text NOT NULL CHECK (state IN ('unacknowledged', 'acknowledged', 'returned_unacknowledged', 'normal', 'shelved')),
    state_under     text CHECK (state_under IN ('unacknowledged', 'acknowledged', 'returned_unacknowledged', 'normal')),
    shelved_until   timestamptz,
    shelved_by      text,
    shelve_reason   text,
    raised_at       timestamptz NOT NULL,
    cleared_at      timestamptz,
    observed_at     timestamptz NOT NULL,
    acknowledged_by text,
    acknowledged_at timestamptz,
    note            text,
    why             jsonb NOT NULL DEFAULT '{}'
);
CREATE UNIQUE INDEX alarm_active ON alarm (subject, type) WHERE state <> 'normal';
CREATE INDEX alarm_raised ON alarm (raised_at DESC, id DESC);

-- event: raise, clear, acknowledge, replace, shelve, unshelve. An event is recorded once.
CREATE TABLE alarm_event (
    alarm_id    text NOT NULL REFERENCES alarm,
    at          timestamptz NOT NULL,
    event       text NOT NULL,
    state       text NOT NULL,
    by          text,
    note        text,
    PRIMARY KEY (alarm_id, event, at)
);

-- set is reserved in SQL, so the column is settings. by is NULL where a rule decided.
CREATE TABLE command (
    id              text PRIMARY KEY,
    asset_id        integer NOT NULL REFERENCES asset,
    asset           text NOT NULL,
    device          text,
    settings        jsonb NOT NULL,
    reason          text NOT NULL CHECK (reason IN ('override', 'sensor', 'program', 'default')),
    state           text NOT NULL CHECK (state IN ('queued', 'sent', 'acknowledged', 'verified', 'rejected', 'expired', 'failed', 'superseded')),
    queued_at       timestamptz NOT NULL,
    sent_at         timestamptz,
    acknowledged_at timestamptz,
    verified_at     timestamptz,
    expires_at      timestamptz NOT NULL,
    ended_at        timestamptz,
    error           text,
    by              text,
    note            text
);
CREATE INDEX command_asset ON command (asset_id, queued_at DESC);
CREATE INDEX command_queued ON command (queued_at DESC, id DESC);
CREATE INDEX command_open ON command (state) WHERE state IN ('queued', 'sent', 'acknowledged');

-- An override is a command row that the API wrote: rules take it up when told (NOTIFY lamplighter_override) or at the next look.

-- The memory of a rule about one asset; position is the newest observed_at that it has processed.
CREATE TABLE rule_state (
    asset_id    integer NOT NULL,
    rule        text NOT NULL,
    position    timestamptz,
    state       jsonb NOT NULL,
    PRIMARY KEY (asset_id, rule)
);

-- The zone document of contract section 3 as last published.
CREATE TABLE zone_availability (
    zone        text PRIMARY KEY,
    updated_at  timestamptz NOT NULL,
    document    jsonb NOT NULL
);

CREATE VIEW parking_zone_now AS
SELECT z.zone, z.document ->> 'name' AS name,
       (z.document ->> 'lat')::float8 AS lat, (z.document ->> 'lon')::float8 AS lon,
       (z.document ->> 'capacity')::int AS capacity, (z.document ->> 'free')::int AS free,
       (z.document ->> 'free_min')::int AS free_min, (z.document ->> 'free_max')::int AS free_max,
       (z.document ->> 'occupied')::int AS occupied, (z.document ->> 'unknown')::int AS unknown,
       (z.document ->> 'closed')::int AS closed, z.document -> 'restricted' AS restricted,
       z.document ->> 'trend' AS trend, (z.document ->> 'verified_at')::timestamptz AS verified_at,
       (z.document ->> 'stale')::boolean AS stale, z.updated_at
FROM zone_availability z;

-- token: only the SHA-256 of the secret is kept.
CREATE TABLE api_token (
    id           text PRIMARY KEY,
    digest       bytea NOT NULL UNIQUE,
    role         text NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    name         text NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    last_used_at timestamptz,
    revoked_at   timestamptz
);

-- Who changed what through the API.
CREATE TABLE audit (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL,
    by          text NOT NULL,
    action      text NOT NULL,
    subject     text NOT NULL,
    detail      jsonb NOT NULL DEFAULT '{}'
);
