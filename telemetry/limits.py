"""Every bound of the system with its unit, what happens at it, and the relations between them."""

PAYLOAD_BYTES_MAX = 256 * 1024
"""A larger uplink is quarantined as `too_large`; its first `QUARANTINE_BYTES_MAX` bytes are kept."""

PACKET_BYTES_MAX = 1024 * 1024
"""The broker closes a session that sends more; between the two bounds we refuse, and keep."""

ARRAY_OBSERVATIONS_MAX = 500
"""A longer backfill array is quarantined whole as `too_many`."""

FUTURE_S_MAX = 300
"""An observation further ahead of the city clock is quarantined as `future_timestamp`."""

SEQ_MAX = 2**63 - 1
"""The greatest `seq`; a greater one is `out_of_range`."""

SEQ_MEMORY_S = 24 * 3600
"""Within this time an observation without `ts` and with a known `seq` is a duplicate."""

QUARANTINE_BYTES_MAX = PAYLOAD_BYTES_MAX
"""Bytes of a refused uplink that are kept; the rest is cut, its digest is of the whole."""

QUARANTINE_ROWS_PER_DEVICE_DAY_MAX = 1_000
"""Beyond it a device's refused uplinks of a day are counted and no longer kept."""

QUARANTINE_ROWS_DAY_MAX = 1_000_000
"""Beyond it refused uplinks of a day, of however many devices, are counted and no longer kept."""

QUARANTINE_LARGE_ROWS_DAY_MAX = 10_000
"""From so many kept refused uplinks of a day on, those larger than `QUARANTINE_SMALL_BYTES` are only counted: a flood
of unknown devices takes at most 7 GB of disk a day."""

QUARANTINE_SMALL_BYTES = 4 * 1024
"""What a sensor sends is smaller; a backfill may be larger."""

BATCH_ROWS_MAX = 10_000
"""A batch closes at this many observations."""

BATCH_BYTES_MAX = 8 * 1024 * 1024
"""A batch closes at this many payload bytes."""

BATCH_AGE_MS_MAX = 8
"""A batch closes when its first message is this old (real time)."""

FLOOD_PER_S = 45_000
"""More observations a second than that are a flood: throughput comes before delay, since a transaction costs as much as
hundreds of rows."""

BATCH_LINGER_MS_MAX = 150
"""In a flood a batch closes when its first message is older the more comes, up to this age at a quarter above
`FLOOD_PER_S` (real time)."""

RECEIVE_MAXIMUM = 40_000
"""Uplinks that the broker may send ahead of our acknowledgements; more wait in the broker."""

INBOX_BYTES_MAX = 64 * 1024 * 1024
"""Bytes of messages, as on the wire, that wait in a service for their turn; at it, or at `RECEIVE_MAXIMUM` messages, no
more is read."""

BROKER_QUEUE_MESSAGES_MAX = 2_000_000
"""Messages that the broker keeps for a service that is away; beyond it the broker drops, and `doctor` says so."""

BROKER_QUEUE_BYTES_MAX = 4 * 1024**3
"""Bytes that the broker keeps for a service that is away; beyond it the broker drops."""

RULES_JOURNAL_BYTES_MAX = 1024**3
"""Bytes of decisions that the rules keep on their own disk while the database is away; at it they decide nothing more
and acknowledge nothing more, so that the uplinks wait at the broker."""

NOTIFICATIONS_WAITING_MAX = 1_000
"""Messages that wait for one sink of notifications; beyond it the oldest is dropped, and counted."""

COMMAND_LEASE_S = 3_600
"""A command ends after this time unless renewed; it is renewed at half."""

LIST_ITEMS_DEFAULT = 100
LIST_ITEMS_MAX = 1_000
"""Items of one page of a list over HTTP."""

assert PAYLOAD_BYTES_MAX < PACKET_BYTES_MAX, "we, not the broker, refuse what is too large"
assert QUARANTINE_BYTES_MAX <= PAYLOAD_BYTES_MAX
assert QUARANTINE_ROWS_PER_DEVICE_DAY_MAX <= QUARANTINE_LARGE_ROWS_DAY_MAX, "one broken device silences no other"
assert (
    QUARANTINE_LARGE_ROWS_DAY_MAX * QUARANTINE_BYTES_MAX + QUARANTINE_ROWS_DAY_MAX * QUARANTINE_SMALL_BYTES < 7 * 10**9
)
assert ARRAY_OBSERVATIONS_MAX < BATCH_ROWS_MAX
assert 3 * BATCH_ROWS_MAX <= RECEIVE_MAXIMUM, "one batch is committed, one decoded, one comes in"
assert BATCH_AGE_MS_MAX <= BATCH_LINGER_MS_MAX
assert PACKET_BYTES_MAX < BATCH_BYTES_MAX <= INBOX_BYTES_MAX
assert RECEIVE_MAXIMUM <= 65_535, "MQTT 5 carries it in two bytes"
assert LIST_ITEMS_DEFAULT <= LIST_ITEMS_MAX
