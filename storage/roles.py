"""What each service may do in the database: its own role, with no right that it does not use.

`lamplighter install` and the containers make the roles; `migrate` gives them these rights, each time anew, wherever
they are there. The owner of the schema migrates, maintains and serves the command line; Grafana has `storage.reader`.
A test runs a city whose services connect so, and another holds every statement of a service to its rights.
"""

from collections.abc import Iterable, Mapping

from storage.pool import Connection

PREFIX = "lamplighter_"
KIND = "{kind}"
"""Stands for each kind's table of observations, and begins the names of its rollups."""

_REGISTRY = ("zone", "asset", "device", "installation", "kind", "registry_version")
_STANDING = ("schema_migration", "city", "city_clock", *_REGISTRY)
"""What every service reads: the schema's version, the clock, the registry."""
_BOOKS = ("ledger", "ingest_instance", "quarantine")
_MEMORY = ("rule_state", "zone_availability", "zone_outlook", "alarm_told")
_SERVES = (
    *(KIND, f"{KIND}_hourly", f"{KIND}_daily", "zone_daily", "latest", "report_interval", "raw_horizon"),
    *("rollup_dirty", "rollup_work", "zone_measure", "parking_zone_now", "alarm", "alarm_event", "command"),
    *("rule_state", "rule_version", "rule_activation", *_BOOKS, "ledger_check", "api_token", "self_probe"),
)
_ACKNOWLEDGED = "acknowledged_by, acknowledged_at, note, shelved_until, shelved_by, shelve_reason"

RIGHTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "ingest": {
        "SELECT": (*_STANDING, *_BOOKS, KIND, "latest_observation", "raw_horizon", "self_probe"),
        "INSERT": (*_BOOKS, KIND, "latest_observation", "rollup_dirty", "self_probe"),
        "UPDATE": ("ledger", "ingest_instance", "latest_observation"),
        "UPDATE (online, firmware, status_at)": ("device",),
        "DELETE": ("ingest_instance", "self_probe"),
    },
    "gateway": {
        "SELECT": (*_STANDING, *_BOOKS, "vendor_codec"),
        "INSERT": _BOOKS,
        "UPDATE": ("ledger", "ingest_instance"),
    },
    "rules": {
        "SELECT": (
            *(*_STANDING, *_MEMORY, KIND, "raw_horizon", "ledger", "ledger_check", "alarm"),
            *("alarm_event", "command", "zone_measure", "rule_lead", "rule_version", "rule_activation"),
        ),
        "INSERT": (*_MEMORY, "alarm", "alarm_event", "command", "rule_version", "rule_activation"),
        "UPDATE": (*_MEMORY, "alarm", "command", "rule_lead"),
        "DELETE": _MEMORY,
    },
    "api": {
        "SELECT": (*_STANDING, *_SERVES),
        "INSERT": ("alarm_event", "command", "zone_measure", "audit"),
        "UPDATE": ("command", "zone_measure"),
        f"UPDATE (state, state_under, {_ACKNOWLEDGED})": ("alarm",),
        "UPDATE (last_used_at)": ("api_token",),
        "UPDATE (shown_at)": ("self_probe",),
    },
}
"""By service: relations by privilege. None may issue a token, change the registry, or delete what was recorded."""

_PARTITIONS = "GRANT EXECUTE ON FUNCTION make_partition TO {role}"


def role_of(service: str) -> str:
    """The database role of a service."""
    return PREFIX + service


async def grant(conn: Connection, kinds: Iterable[str]) -> None:
    """Give those of the roles that are there their rights, and take away all others; all or nothing."""
    names = list(kinds)
    known = await conn.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE %s", (f"{PREFIX}%",))
    there = {row[0] for row in await known.fetchall()}
    async with conn.transaction():
        for service, rights in RIGHTS.items():
            role = role_of(service)
            if role not in there:
                continue
            await conn.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}")
            await conn.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
            for privilege, relations in rights.items():
                await conn.execute(f"GRANT {privilege} ON {', '.join(_spelled(relations, names))} TO {role}")
            if service == "ingest":
                await conn.execute(_PARTITIONS.format(role=role))


def _spelled(relations: Iterable[str], kinds: Iterable[str]) -> list[str]:
    """Relations with the names of the kinds filled in."""
    return [relation.format(kind=kind) for relation in relations for kind in (kinds if KIND in relation else [""])]
