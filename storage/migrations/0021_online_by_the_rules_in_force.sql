-- Whether an asset is online is judged as the rules in force do: after as many missed reports as they say, not after
-- three whatever they say. As before, but for that figure.
CREATE OR REPLACE VIEW latest AS
SELECT a.asset_id, a.kind, l.observed_at, l.received_at,
       date_part('epoch', (SELECT city_now()) - l.observed_at) AS age_s,
       coalesce(greatest(l.observed_at, CASE WHEN d.online THEN d.status_at END)
                + make_interval(secs => (SELECT coalesce(
                      (SELECT (v.content::jsonb #>> '{presence,missed_intervals}')::double precision
                       FROM rule_activation r JOIN rule_version v USING (version) ORDER BY r.id DESC LIMIT 1), 3))
                  * i.every_s) > (SELECT city_now())
                AND NOT (d.online IS FALSE AND d.status_at >= l.received_at), false) AS online,
       l.fields::jsonb AS fields
FROM asset a
JOIN report_interval i ON i.asset_id = a.asset_id
LEFT JOIN latest_observation l ON l.asset_id = a.asset_id
LEFT JOIN installation s ON s.asset_id = a.asset_id
                        AND s.valid_from <= (SELECT city_now()) AND s.valid_to > (SELECT city_now())
LEFT JOIN device d ON d.device = s.device
WHERE a.retired_at IS NULL OR a.retired_at > (SELECT city_now());
