"""API tokens: issued with a secret that is shown once, recognised by its digest, ended by time or by revoking.

Tokens live on real time, not on the city clock: a demo's fast clock must not outlive its tokens.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from psycopg.rows import dict_row

from storage import queries
from storage.pool import Connection
from telemetry.clock import MINUTE_US, to_datetime

SQL = queries.load("tokens")

Role = Literal["viewer", "operator", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
"""Weakest first; each may do what those before it may."""
SECRET_BYTES = 32
SECRET_PREFIX = "ll_"
"""Makes a leaked secret recognisable to scanners."""
TOUCH_EVERY_US = MINUTE_US
"""`last_used_at` is written at most this often, so that reading costs no write."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret. `None`: never used, not revoked."""

    id: str
    role: Role
    name: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None

    def valid_at(self, moment: datetime) -> bool:
        """Whether it opens anything at a real moment."""
        return self.revoked_at is None and moment < self.expires_at

    def may(self, role: Role) -> bool:
        """Whether it may do what this role may."""
        return ROLES.index(self.role) >= ROLES.index(role)


async def issue(conn: Connection, *, role: Role, name: str = "", expires_us: int, real_now_us: int) -> tuple[str, str]:
    """Make a token and return its (id, secret); the secret is kept nowhere and cannot be shown again."""
    token_id, secret = secrets.token_hex(6), SECRET_PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    row = {
        "id": token_id,
        "digest": digest(secret),
        "role": role,
        "name": name,
        "created_at": to_datetime(real_now_us),
        "expires_at": to_datetime(expires_us),
    }
    await conn.execute(SQL["issue"], row)
    return token_id, secret


async def list_all(conn: Connection) -> list[Token]:
    """Every token ever issued, newest first."""
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SQL["all"])
        return [Token(**row) for row in await cursor.fetchall()]


async def revoke(conn: Connection, token_id: str, real_now_us: int) -> bool:
    """End a token now; False where there is none of this id that has not been revoked."""
    done = await conn.execute(SQL["revoke"], {"id": token_id, "at": to_datetime(real_now_us)})
    return done.rowcount == 1


async def recognise(conn: Connection, secret: str, real_now_us: int) -> Token | None:
    """The valid token of a secret, `None` where there is none; notes its use once a minute."""
    wanted, moment = digest(secret), to_datetime(real_now_us)
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SQL["find"], {"digest": wanted})
        row = await cursor.fetchone()
    if row is None or not hmac.compare_digest(row.pop("digest"), wanted):
        return None
    token = Token(**row)
    if not token.valid_at(moment):
        return None
    before = to_datetime(real_now_us - TOUCH_EVERY_US)
    if token.last_used_at is None or token.last_used_at < before:
        await conn.execute(SQL["touch"], {"id": token.id, "at": moment, "before": before})
    return token


def digest(secret: str) -> bytes:
    """What is kept of a secret: SHA-256 is enough for 256 random bits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
