"""Checks of who may enter the broker: its password file and access list, held against the registry.

Both are found by the broker's configuration; this machine has to be able to read them.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import suppress
from pathlib import Path

from bus import users
from bus.session import Watcher
from gateway import broker_rules, credentials, credentials_file
from lamplighter.doctor import broker_file
from lamplighter.doctor.findings import Finding, note, ok, wrong
from lamplighter.embedded.broker import PLATFORM_USER
from lamplighter.install import logins
from storage import errors, registry
from storage.pool import connect
from telemetry import topics
from telemetry.registry import Registry

NAMED_MAX = 3
COLLECT_S = 1.0
ALL = ""


async def examine(configuration: Path, database_url: str, broker_url: str | None) -> AsyncIterator[Finding]:
    """Look at the files that a broker's configuration names; says nothing where it names none of these."""
    said = broker_file.said(configuration)
    for finding in _access(said.get(broker_file.ACCESS)):
        yield finding
    known_users = _users(said.get(broker_file.PASSWORDS))
    if isinstance(known_users, Finding):
        yield known_users
        return
    for finding in shared(known_users):
        yield finding
    try:
        with errors.translated():
            async with await connect(database_url, application="lamplighter doctor") as connection:
                known = await registry.load(connection)
    except errors.StorageError:
        return  # another check's finding
    behind = await _behind_gateways(broker_url) if broker_url else set()
    for finding in compare(known, known_users, behind):
        yield finding


def shared(known: Collection[str]) -> Iterator[Finding]:
    """Which services have no users of their own among those that the broker knows, and so share the platform's."""
    sharing = [service for service in users.SESSIONS if not logins.names([service]) <= set(known)]
    if sharing:
        yield note(
            "credentials",
            f"Without a user of its own at the broker, and there as {PLATFORM_USER}, who may do everything: "
            f"{', '.join(sharing)}. `lamplighter install` gives each its own; docs/upgrading.md says how else.",
        )


def compare(known: Registry, entering: Collection[str], behind: Collection[str]) -> Iterator[Finding]:
    """Who has a password, against who is in service; `behind` speak by a gateway and need none."""
    serving = {asset.device for asset in known.assets.values() if asset.device and not asset.retired}
    gone = sorted(user for user in entering if known.knows(user) and user not in serving)
    if gone:
        what = _named(gone, "device", "devices")
        yield wrong(
            "credentials", f"{what} out of service may still enter the broker: `lamplighter credentials revoke` each."
        )
    strangers = sorted(user for user in entering if user not in logins.names() and not known.knows(user))
    if strangers:
        what = _named(strangers, "user", "users")
        yield note("credentials", f"{what} in the password file, none in the registry: see that each is yours.")
    missing = sorted(each for each in serving - set(entering) - set(behind) if credentials.nameable(each))
    if missing:
        what = _named(missing, "device", "devices")
        mend = "`lamplighter credentials issue --all-missing` lets them in, unless a gateway speaks for them"
        yield note("credentials", f"{what} in service with no password: {mend}.")
    if not gone and not missing:
        yield ok("credentials", "Who is in service can enter the broker, and nobody else of the registry.")


def _users(path: str | None) -> set[str] | Finding:
    if path is None:
        return note("credentials", "The broker's configuration names no `password_file`, so nobody can be compared.")
    try:
        text = credentials_file.read(Path(path))
    except OSError as error:
        return note(
            "credentials", f"The password file {path} cannot be read ({error.strerror}): run this as one who may."
        )
    found = credentials.users(text)
    if PLATFORM_USER not in found:
        mend = "write it anew by `lamplighter credentials broker-config`"
        return wrong("credentials", f"The password file {path} has no user {PLATFORM_USER}, our own: {mend}.")
    return found


def _access(path: str | None) -> Iterator[Finding]:
    """Whether the access list confines devices as ours does."""
    mend = "write it by `lamplighter credentials broker-config --replace`"
    if path is None:
        yield wrong("credentials", f"Any device may write another's topics, as there is no `acl_file`: {mend}.")
        return
    try:
        given = _lines(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        yield note("credentials", f"The access list {path} cannot be read ({error}): run this as one who may.")
        return
    ours, there = _by_user(_lines(broker_rules.access_list(PLATFORM_USER))), _by_user(given)
    lacking = [line for who in (ALL, PLATFORM_USER) for line in ours[who] if line not in given]
    if lacking:
        yield wrong("credentials", f"The access list {path} lacks `{lacking[0]}`: {mend}.")
    wider = sorted(line for line in {*there[ALL]} - {*ours[ALL]} if _wide(line))
    for line in wider:
        yield wrong("credentials", f"The access list {path} gives every device `{line}`: take that line out.")
    others = sorted(user for user in logins.names(users.SESSIONS) if user in there and {*there[user]} != {*ours[user]})
    for user in others:
        yield wrong("credentials", f"The access list {path} gives {user}, our own, other rights than it needs: {mend}.")
    if not lacking and not wider and not others:
        yield ok("credentials", "The access list holds each device to its own topics.")


def _by_user(lines: list[str]) -> dict[str, list[str]]:
    """Rules by whom they are for; those for all, patterns too, by `ALL`."""
    found: dict[str, list[str]] = {ALL: []}
    user = ALL
    for line in lines:
        if line.startswith("user "):
            user = line.removeprefix("user ")
        found.setdefault(ALL if line.startswith("pattern ") else user, []).append(line)
    return found


def _wide(line: str) -> bool:
    """Whether a rule for everybody reaches the city's topics."""
    topic = line.split()[-1]
    return "deny" not in line.split() and (topic.startswith(("#", "+", f"{topics.ROOT.split('/')[0]}/")))


def _lines(text: str) -> list[str]:
    lines = (" ".join(line.split()) for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _named(names: list[str], one: str, several: str) -> str:
    """`2 devices (a, b)`."""
    shown = ", ".join(names[:NAMED_MAX]) + (" …" if len(names) > NAMED_MAX else "")
    return f"{len(names)} {one if len(names) == 1 else several} ({shown})"


async def _behind_gateways(url: str) -> set[str]:
    """The devices that the gateway has heard: it retains a note of each."""
    found: set[str] = set()

    def hear(topic: str, payload: bytes, retained: bool) -> None:
        device = topics.parse_gateway_note(topic)
        if device is not None and payload:
            found.add(device)

    async with Watcher(url, "", [topics.gateway_note("+")], hear) as watcher:
        with suppress(TimeoutError):
            async with asyncio.timeout(COLLECT_S):
                await watcher.ready()
                await asyncio.sleep(COLLECT_S)
    return found
