"""`lamplighter token`: who may use the operators' API."""

import datetime as dt
from typing import Annotated, Any

import typer

from lamplighter.cli.session import Config, begin, database, run
from lamplighter.cli.spelling import DURATION, parse_duration
from lamplighter.cli.tables import print_table
from lamplighter.clock import real_now
from lamplighter.errors import Failure
from storage import audit, tokens
from storage.pool import Connection
from storage.shared_clock import city_now
from telemetry.clock import SECOND_US, to_datetime, to_rfc3339

commands = typer.Typer(help="Issue, list and revoke tokens of the operators' API.")


@commands.command()
def issue(
    role: Annotated[tokens.Role, typer.Option(help="What it may do; each role may do what those before it may.")],
    expires: Annotated[
        float, typer.Option(parser=parse_duration, metavar=DURATION, help="How long it is valid, such as 90d.")
    ],
    name: Annotated[str, typer.Option(help="Who or what it is for.")] = "",
    config: Config = None,
) -> None:
    """Issue a token and print it; it cannot be shown again."""
    settings = begin(config)
    now_us = real_now()
    expires_us = now_us + round(expires * SECOND_US)

    async def work() -> tuple[str, str]:
        async with database(settings) as connection, connection.transaction():
            issued = await tokens.issue(connection, role=role, name=name, expires_us=expires_us, real_now_us=now_us)
            until = to_rfc3339(expires_us)
            await _note(connection, "issue_token", issued[0], {"role": role, "name": name, "expires_at": until})
            return issued

    token_id, secret = run(work())
    print(secret)
    typer.echo(f"Token {token_id} ({role}) is valid until {_spell(to_datetime(expires_us))}.", err=True)


@commands.command("list")
def list_tokens(config: Config = None) -> None:
    """List all tokens ever issued, without their secrets."""
    settings = begin(config)

    async def work() -> list[tokens.Token]:
        async with database(settings) as connection:
            return await tokens.list_all(connection)

    now = to_datetime(real_now())
    rows = []
    for token in run(work()):
        state = "revoked" if token.revoked_at else "valid" if token.valid_at(now) else "expired"
        moments = (token.created_at, token.expires_at, token.last_used_at)
        rows.append([token.id, token.role, token.name, state, *map(_spell, moments)])
    print_table(["id", "role", "name", "state", "issued", "expires", "last used"], rows)


@commands.command()
def revoke(
    token: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")], config: Config = None
) -> None:
    """End a token now."""
    settings = begin(config)

    async def work() -> bool:
        async with database(settings) as connection, connection.transaction():
            done = await tokens.revoke(connection, token, real_now())
            if done:
                await _note(connection, "revoke_token", token, {})
            return done

    if not run(work()):
        raise Failure(f"There is no valid token {token}: `lamplighter token list` shows all.")
    print(f"Token {token} is revoked.")


async def _note(connection: Connection, action: str, token_id: str, detail: dict[str, Any]) -> None:
    """Say in the audit what became of a token."""
    at_us = await city_now(connection)
    by, subject = audit.COMMAND_LINE, f"token:{token_id}"
    await audit.record(connection, at_us=at_us, by=by, action=action, subject=subject, detail=detail)


def _spell(moment: dt.datetime | None) -> str:
    return "never" if moment is None else f"{moment:%Y-%m-%d %H:%M}Z"
