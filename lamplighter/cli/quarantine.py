"""`lamplighter quarantine`: uplinks that were refused, and their second chance."""

import datetime as dt
from typing import Annotated

import typer

from lamplighter import plain_text
from lamplighter.cli.session import Config, begin, database, need_database, run
from lamplighter.cli.tables import print_table
from lamplighter.errors import Failure
from storage import quarantine
from storage.quarantine import QuarantinedUplink
from telemetry.limits import LIST_ITEMS_DEFAULT, LIST_ITEMS_MAX
from telemetry.refusals import Reason

ID_MAX = 2**63 - 2
"""The database numbers no further."""

commands = typer.Typer(help="Refused uplinks: list them, show one, replay what can be stored now.")


@commands.command("list")
def list_uplinks(
    device: Annotated[str | None, typer.Option(help="Only this device's.")] = None,
    reason: Annotated[Reason | None, typer.Option(help="Only those refused for this reason.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=LIST_ITEMS_MAX, help="How many, newest first.")] = LIST_ITEMS_DEFAULT,
    config: Config = None,
) -> None:
    """List refused uplinks, newest first."""
    settings = begin(config)

    async def work() -> tuple[list[QuarantinedUplink], bool]:
        async with database(settings) as connection:
            chosen = None if reason is None else reason.value
            return await quarantine.page(connection, limit=limit, reason=chosen, device=device)

    uplinks, more = run(work())
    rows = [
        [str(each.id), _spell(each.received_at), each.reason, each.topic, _spell(each.replayed_at)] for each in uplinks
    ]
    print_table(["id", "received", "reason", "topic", "replayed"], rows)
    if more:
        typer.echo(f"There are more than these {limit}.", err=True)


@commands.command()
def show(
    uplink: Annotated[int, typer.Argument(metavar="ID", min=1, max=ID_MAX, help="As `list` shows it.")],
    config: Config = None,
) -> None:
    """Show one refused uplink with its bytes."""
    settings = begin(config)

    async def work() -> QuarantinedUplink | None:
        async with database(settings) as connection:
            found, _ = await quarantine.page(connection, limit=1, before=uplink + 1)
            return found[0] if found and found[0].id == uplink else None

    found = run(work())
    if found is None:
        raise Failure(f"There is no refused uplink {uplink}: `lamplighter quarantine list` shows all.")
    lines = {
        "id": str(found.id),
        "received": _spell(found.received_at),
        "topic": found.topic,
        "device": found.device or "",
        "reason": found.reason,
        "detail": found.detail,
        "replayed": _spell(found.replayed_at),
        "bytes": str(len(found.payload)),
    }
    for name, value in lines.items():
        print(f"{name:<10}{plain_text.line(value)}")
    print(f"\n{plain_text.lines(found.payload.decode(errors='backslashreplace'))}")


@commands.command()
def replay(
    device: Annotated[str | None, typer.Option(help="Only this device's.")] = None, config: Config = None
) -> None:
    """Store what can be stored now, with its original time, such as the uplinks of a device registered since.

    Uplinks that the gateway could not read are read anew, by the codecs and rules of today.
    """
    settings = begin(config)
    url = need_database(settings)
    from gateway.replaying import Retranslation  # heavy
    from ingest.replay import Replayed
    from ingest.replay import replay as replay_all
    from lamplighter.networks import device_models
    from storage import audit, codecs, registry
    from storage.errors import translated
    from storage.pool import open_pool
    from storage.shared_clock import city_now

    models = device_models(settings.gateway_models)

    async def work() -> Replayed:
        pool = await open_pool(url, size=2)
        try:
            with translated():
                async with pool.connection() as connection:
                    known, now_us = await registry.load(connection), await city_now(connection)
                    kept = await codecs.load(connection)
            for complaint in await models.shelf.fill(kept):
                typer.echo(complaint, err=True)
            done = await replay_all(pool, known, now_us, device, Retranslation(models, known).message)
            with translated():
                async with pool.connection() as connection:
                    what = {
                        "device": device,
                        "stored": done.stored,
                        "duplicate": done.duplicate,
                        "refused": done.refused,
                    }
                    by, subject = audit.COMMAND_LINE, "platform"
                    await audit.record(
                        connection, at_us=now_us, by=by, action="replay_quarantine", subject=subject, detail=what
                    )
            return done
        finally:
            await models.shelf.close()
            await pool.close()

    done = run(work())
    print(f"{done.stored} stored, {done.duplicate} there already, {done.refused} still refused.")
    if done.cut:
        print(f"{done.cut} not looked at: too large to be kept whole, so only their devices can send them again.")


def _spell(moment: dt.datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}Z"
