"""Whether the broker would still know a share of ingest after its own restart: Mosquitto does not."""

from collections.abc import AsyncIterator

from lamplighter.compose import INGEST
from lamplighter.doctor.findings import Finding, wrong
from lamplighter.doctor.retained import heard
from lamplighter.settings import Settings
from storage import errors, survey
from storage.pool import connect
from telemetry import topics


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Nothing where one process takes all uplinks, and where the broker does not say that it is a Mosquitto."""
    if settings.broker_url is None or settings.database_url is None or not await _divided(settings.database_url):
        return
    if b"mosquitto" in (await heard(settings.broker_url, topics.SYS_VERSION) or b""):
        yield wrong(
            "broker",
            "Several processes divide the uplinks, and Mosquitto forgets their share when it is restarted: what comes "
            f"before one of them is back is lost. Beside Mosquitto run one, `lamplighter {INGEST}`.",
        )


async def _divided(database_url: str) -> bool:
    """Whether any process that stores uplinks is a member of a share."""
    try:
        with errors.translated():
            async with await connect(database_url, application="lamplighter doctor") as connection:
                return any(name.startswith(f"{INGEST}-") for name, _ in await survey.processes(connection))
    except errors.StorageError:
        return False  # another check's finding
