"""Who may do what: bearer tokens, their roles, and how a handler demands one."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.addresses import Addresses
from api.database import Database
from api.problems import Problem, too_many, unauthorised
from api.ratelimit import Buckets
from storage import tokens
from storage.tokens import Role, Token
from telemetry.clock import Now

SECRET_CHARACTERS_MAX = 200

_bearer = HTTPBearer(auto_error=False, description="A token from `lamplighter token issue`.")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
TOKEN_OPTIONAL: dict[str, Any] = {"security": [{}]}
"""What the description says beside the token where one may do without."""
Demand = Callable[[Request, HTTPAuthorizationCredentials | None], Awaitable["Caller"]]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a request comes from, as far as its token says."""

    token: Token

    @property
    def name(self) -> str:
        """How the audit names the caller: the token's name, else its id."""
        return self.token.name or f"token {self.token.id}"


class Gate:
    """Recognises tokens. An address that keeps trying without a valid one is slowed down.

    `attempts` is charged for failed attempts alone: residents behind an operator's address do not use it up.
    """

    def __init__(self, database: Database, real_now: Now, addresses: Addresses, attempts: Buckets) -> None:
        self._database = database
        self._real_now = real_now
        self._addresses = addresses
        self._attempts = attempts

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
            if not self._addresses.on_loopback(request.scope):
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
        if wait_s:
            raise too_many("Too many requests without a valid token from your address.", wait_s)
        if not secret:
            self._attempts.take(address, time.monotonic())
            raise unauthorised("This needs a token: Authorization: Bearer TOKEN.")
        token = None
        if len(secret) <= SECRET_CHARACTERS_MAX:
            async with self._database.connection() as conn:
                token = await tokens.recognise(conn, secret, self._real_now())
        if token is None:
            self._attempts.take(address, time.monotonic())
            raise unauthorised("The token is unknown, expired or revoked.")
        return Caller(token)
