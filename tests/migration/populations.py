"""What a city holds at each released schema: rows as that release would have written them, by the migration's number.

A new table needs rows here: a test sees that none is empty.
"""

POPULATIONS = {
    1: """
        INSERT INTO zone (zone, name, lat, lon) VALUES ('market', 'Markt', 51.4, 7.3);
        INSERT INTO asset (asset, kind, name, zone, attributes) VALUES
            ('lamp-1', 'streetlight', 'Lamp 1', NULL, '{"min_level_pct": 30}'),
            ('drain-1', 'drain_level', '', NULL, '{"ground_m": 2.5}'), ('bay-1', 'parking_bay', '', 'market', '{}');
        INSERT INTO device (device, online, firmware, status_at) VALUES ('L1', true, '1.0', '2026-11-22 10:00Z');
        INSERT INTO installation (asset_id, device, kind) VALUES (1, 'L1', 'streetlight');
    """,
    2: """
        INSERT INTO ledger (day, received, stored, quarantined) VALUES ('2026-11-22', 2, 1, 1);
        INSERT INTO ingest_instance (instance, in_flight, seen_at) VALUES ('ingest', 0, '2026-11-22 10:00Z');
        INSERT INTO city_clock (start_at, anchor_at, speed) VALUES ('2026-11-22 12:00Z', '2026-11-22 12:00Z', 1);
        INSERT INTO quarantine (day, received_at, topic, device, digest, element, reason, detail, payload) VALUES
            ('2026-11-22', '2026-11-22 10:00Z', 'city/v1/streetlight/x/telemetry', 'x', '\\x01', 0, 'unknown_device',
             'nobody knows x', '{"level_pct": 40}');
    """,
    3: """
        INSERT INTO rule_version (version, content, author, active_from)
            VALUES ('v1', '{}', 'Ada', '2026-11-01 00:00Z');
        INSERT INTO alarm (id, subject, asset, type, severity, state, raised_at, observed_at, why) VALUES
            ('a1', 'asset:drain-1', 'drain-1', 'drain_high', 'warning', 'unacknowledged', '2026-11-22 10:01Z',
             '2026-11-22 10:00Z', '{"level_m": 1.9}');
        INSERT INTO alarm_event (alarm_id, at, event, state)
            VALUES ('a1', '2026-11-22 10:01Z', 'raise', 'unacknowledged');
        INSERT INTO command (id, asset_id, asset, device, settings, reason, state, queued_at, expires_at) VALUES
            ('c1', 1, 'lamp-1', 'L1', '{"setpoint_pct": 40}', 'program', 'verified', '2026-11-22 10:00Z',
             '2026-11-22 11:00Z');
        INSERT INTO rule_state (asset_id, rule, position, state) VALUES (1, 'dimming', '2026-11-22 10:00Z', '{"x": 1}');
        INSERT INTO zone_availability (zone, updated_at, document)
            VALUES ('market', '2026-11-22 10:00Z', '{"free": 1}');
        INSERT INTO api_token (id, digest, role, created_at, expires_at) VALUES
            ('t1', '\\x02', 'viewer', '2026-11-01 00:00Z', '2027-11-01 00:00Z');
        INSERT INTO audit (at, by, action, subject) VALUES ('2026-11-22 10:00Z', 'Ada', 'acknowledge', 'a1');
    """,
    5: """
        INSERT INTO streetlight (observed_at, asset_id, received_at, level_pct, energy_kwh) VALUES
            ('2026-11-22 10:00Z', 1, '2026-11-22 10:00Z', 40, 12.5);
        INSERT INTO streetlight_hourly (asset_id, bucket, count, level_pct_avg) VALUES (1, '2026-10-01 10:00Z', 6, 55);
        INSERT INTO streetlight_daily (asset_id, bucket, count, level_pct_avg) VALUES (1, '2026-09-30 22:00Z', 6, 55);
        INSERT INTO latest_observation (asset_id, kind, observed_at, received_at, fields) VALUES
            (1, 'streetlight', '2026-11-22 10:00Z', '2026-11-22 10:00Z', '{"level_pct": 40.0}');
        INSERT INTO rollup_dirty (kind, hour) VALUES ('streetlight', '2026-11-22 10:00Z');
        INSERT INTO rollup_work (kind, hour) VALUES ('streetlight', '2026-11-22 09:00Z');
        INSERT INTO raw_horizon (kind, dropped_before) VALUES ('streetlight', '2026-11-01 00:00Z');
    """,
    6: """
        INSERT INTO ledger_check (day, checked_at, without_fate, rows_expected, rows_found, quarantine_expected,
                                  quarantine_found) VALUES ('2026-11-22', '2026-11-23 00:05Z', 0, 1, 1, 1, 1);
    """,
    7: """
        INSERT INTO rollup_touched (kind, day) VALUES ('streetlight', '2026-11-21 23:00Z');
        INSERT INTO rollup_check (checked_at, asset_days, asset_days_left, differing, took_s)
            VALUES ('2026-11-22 01:00Z', 3, 0, 0, 0.1);
    """,
    10: """
        INSERT INTO vendor_codec (model, source, sha256, origin, licence, added_at, added_by)
            VALUES ('acme/x1', 'function f() {}', repeat('0', 64), 'acme', 'MIT', '2026-11-22 10:00Z', 'Ada');
    """,
    11: "INSERT INTO device (device, model) VALUES ('X1', 'acme/x1');",
    13: "UPDATE rule_lead SET term = 7, leader = 'host', records = 3;",
    14: """
        INSERT INTO zone_measure (id, zone, what, from_at, until_at, by)
            VALUES ('m1', 'market', 'closure', '2026-11-22 10:00Z', '2026-11-23 10:00Z', 'Ada');
        INSERT INTO zone_outlook (zone, outlook) VALUES ('market', '\\x03');
    """,
    16: "INSERT INTO alarm_told (alarm_id, sink, told_at) VALUES ('a1', 'mail', '2026-11-22 10:01Z');",
    18: """
        INSERT INTO self_probe (run, number, instance, observed_at, sent_at, stored_at)
            VALUES ('r', 1, 'ingest', '2026-11-22 10:00Z', '2026-11-22 10:00Z', '2026-11-22 10:00Z');
    """,
}

PARTITION = """
    CREATE TABLE {kind}_2026_11 PARTITION OF {kind} FOR VALUES FROM ('2026-11-01 00:00Z') TO ('2026-12-01 00:00Z')
"""
