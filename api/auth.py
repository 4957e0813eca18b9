"""Who may do what: bearer tokens, their roles, and how a handler demands one."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.types import Scope

from api.addresses import Addresses
from api.database import Database
from api.problems import Problem, too_many, unauthorised
from api.ratelimit import Buckets
from storage import tokens
from storage.errors import StorageError
from storage.tokens import Role, Token
from telemetry.clock import Now, to_us

SECRET_CHARACTERS_MAX = 200
WAITING_MAX = 64
"""Unfamiliar tokens from addresses that have to wait, looked up one after another; a further one is refused."""
FAMILIAR_MAX = 1_000
"""Digests of tokens that were valid lately."""

_bearer = HTTPBearer(auto_error=False, description="A token from `lamplighter token issue`.")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
TOKEN_OPTIONAL: dict[str, Any] = {"security": [{}]}
"""What the description says beside the token where one may do without."""
Demand = Callable[[Request, HTTPAuthorizationCredentials | None], Awaitable["Caller"]]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a request comes from, as far as its token says; `secret` is what the token was shown by."""

    token: Token
    secret: str = field(repr=False)

    @property
    def name(self) -> str:
        """How the audit names the caller: the token's name, else its id."""
        return self.token.name or f"token {self.token.id}"


class Gate:
    """Recognises tokens. An address that keeps trying without a valid one is told to wait.

    `attempts` is charged for failed attempts alone: residents behind an operator's address do not use it up. A valid
    token is let in even from an address that has to wait, so that nobody locks operators out by guessing beside them:
    there the database is asked for one unfamiliar token at a time, and those that were valid lately come first.
    """

    def __init__(self, database: Database, real_now: Now, addresses: Addresses, attempts: Buckets) -> None:
        self._database = database
        self._real_now = real_now
        self._addresses = addresses
        self._attempts = attempts
        self._valid: OrderedDict[bytes, None] = OrderedDict()
        self._turn = asyncio.Lock()
        self._waiting = 0

    def demands(self, role: Role) -> Demand:
        """A dependency that lets a request in whose token has at least this role."""

        async def demand(request: Request, credentials: Credentials) -> Caller:
            caller = await self.recognise(request, credentials.credentials if credentials else None)
            if not caller.token.may(role):
                raise Problem(403, f"This needs the role {role}; the token's role is {caller.token.role}.")
            return caller

        return demand

    def demands_unless_local(self, role: Role) -> Callable[[Request, Credentials], Awaitable[None]]:
        """As `demands`, but open to this machine itself."""
        demand = self.demands(role)

        async def demand_unless_local(request: Request, credentials: Credentials) -> None:
            if not self._addresses.is_local(request.scope):
                await demand(request, credentials)

        return demand_unless_local

    async def recognise(self, request: Request, secret: str | None) -> Caller:
        """The caller of a request.

        Raises:
            Problem: 401 without a valid token, 429 after too many requests without one.
            Unavailable: the database is away, so nobody can be recognised.
        """
        address = self._addresses.client(request.scope)
        wait_s = self._attempts.empty_for(address, time.monotonic())
        token = await self._token(secret, in_turn=wait_s > 0) if secret else None
        if secret and token is not None:
            return Caller(token, secret)
        if wait_s:
            raise too_many("Too many requests without a valid token from your address.", wait_s)
        self._attempts.take(address, time.monotonic())
        if secret:
            raise unauthorised("The token is unknown, expired or revoked.")
        raise unauthorised("This needs a token: Authorization: Bearer TOKEN.")

    async def disowns(self, scope: Scope, secret: str) -> bool:
        """Whether a token opens nothing; `recognise` charges for it. `False` where the database is away."""
        wait_s = self._attempts.empty_for(self._addresses.client(scope), time.monotonic())
        try:
            return await self._token(secret, in_turn=wait_s > 0) is None
        except StorageError:
            return False

    async def is_still_good(self, caller: Caller) -> bool:
        """Whether the caller's token is still neither expired nor revoked; while the database is away, not expired."""
        try:
            return await self._find(caller.secret) is not None
        except StorageError:
            return self._real_now() < to_us(caller.token.expires_at)

    async def _token(self, secret: str, *, in_turn: bool) -> Token | None:
        if len(secret) > SECRET_CHARACTERS_MAX:
            return None
        if not in_turn or tokens.digest(secret) in self._valid:
            return await self._find(secret)
        if self._waiting >= WAITING_MAX:
            return None
        self._waiting += 1
        try:
            async with self._turn:
                return await self._find(secret)
        finally:
            self._waiting -= 1

    async def _find(self, secret: str) -> Token | None:
        """The valid token of a secret, by its digest in the database; compared in constant time there."""
        async with self._database.connection() as conn:
            token = await tokens.recognise(conn, secret, self._real_now())
        digest = tokens.digest(secret)
        if token is None:
            self._valid.pop(digest, None)
        else:
            self._valid[digest] = None
            self._valid.move_to_end(digest)
            if len(self._valid) > FAMILIAR_MAX:
                self._valid.popitem(last=False)
        return token
