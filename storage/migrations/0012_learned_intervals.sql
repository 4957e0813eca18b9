-- How often each asset reports, and how that is known: registered, learned by the rules from the times of its
-- observations (rules/rhythm.py keeps it in rule_state), or what its kind usually does. Who asks whether a device lives
-- asks here.
CREATE VIEW report_interval AS
SELECT a.asset_id,
       coalesce((a.attributes ->> 'report_every_s')::double precision,
                (r.state ->> 'learned_us')::double precision / 1000000, k.report_every_s, 600) AS every_s,
       CASE WHEN a.attributes ->> 'report_every_s' IS NOT NULL THEN 'registered'
            WHEN r.state ->> 'learned_us' IS NOT NULL THEN 'learned'
            ELSE 'usual' END AS known
FROM asset a
LEFT JOIN kind k ON k.kind = a.kind
LEFT JOIN rule_state r ON r.asset_id = a.asset_id AND r.rule = 'rhythm';

-- As before, but for the interval.
CREATE OR REPLACE VIEW latest AS
SELECT a.asset_id, a.kind, l.observed_at, l.received_at,
       date_part('epoch', (SELECT city_now()) - l.observed_at) AS age_s,
       coalesce(greatest(l.observed_at, CASE WHEN d.online THEN d.status_at END)
                + make_interval(secs => 3 * i.every_s) > (SELECT city_now())
                AND NOT (d.online IS FALSE AND d.status_at >= l.received_at), false) AS online,
       l.fields::jsonb AS fields
FROM asset a
JOIN report_interval i ON i.asset_id = a.asset_id
LEFT JOIN latest_observation l ON l.asset_id = a.asset_id
LEFT JOIN installation s ON s.asset_id = a.asset_id
                        AND s.valid_from <= (SELECT city_now()) AND s.valid_to > (SELECT city_now())
LEFT JOIN device d ON d.device = s.device
WHERE a.retired_at IS NULL OR a.retired_at > (SELECT city_now());
