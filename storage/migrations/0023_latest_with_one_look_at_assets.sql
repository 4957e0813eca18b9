-- Whoever asks for the intervals of assets mostly asks for the assets too: with their kind and end of service beside
-- them, `latest` reads the assets once instead of twice.
CREATE OR REPLACE VIEW report_interval AS
SELECT a.asset_id,
       coalesce((a.attributes ->> 'report_every_s')::double precision,
                (r.state ->> 'learned_us')::double precision / 1000000, k.report_every_s, 600) AS every_s,
       CASE WHEN a.attributes ->> 'report_every_s' IS NOT NULL THEN 'registered'
            WHEN r.state ->> 'learned_us' IS NOT NULL THEN 'learned'
            ELSE 'usual' END AS known,
       a.kind, a.retired_at
FROM asset a
LEFT JOIN kind k ON k.kind = a.kind
LEFT JOIN rule_state r ON r.asset_id = a.asset_id AND r.rule = 'rhythm';

-- Says what it said. Whether an asset is online is a comparison of seconds: an interval a row costs more.
CREATE OR REPLACE VIEW latest AS
SELECT a.asset_id, a.kind, l.observed_at, l.received_at,
       date_part('epoch', (SELECT city_now()) - l.observed_at) AS age_s,
       coalesce(date_part('epoch', (SELECT city_now())
                                   - greatest(l.observed_at, CASE WHEN d.online THEN d.status_at END))
                < (SELECT coalesce(
                      (SELECT (v.content::jsonb #>> '{presence,missed_intervals}')::double precision
                       FROM rule_activation r JOIN rule_version v USING (version) ORDER BY r.id DESC LIMIT 1), 3))
                  * a.every_s
                AND NOT (d.online IS FALSE AND d.status_at >= l.received_at), false) AS online,
       l.fields::jsonb AS fields
FROM report_interval a
LEFT JOIN latest_observation l ON l.asset_id = a.asset_id
LEFT JOIN installation s ON s.asset_id = a.asset_id
                        AND s.valid_from <= (SELECT city_now()) AND s.valid_to > (SELECT city_now())
LEFT JOIN device d ON d.device = s.device
WHERE a.retired_at IS NULL OR a.retired_at > (SELECT city_now());
