"""The database's roles as a script for psql: the owner, one for each service, one that only reads."""

from collections.abc import Mapping
from urllib.parse import quote

from storage import reader, roles

OWNER = "lamplighter"
"""Owns database and schema: migrates, maintains, backs up."""
DATABASE = "lamplighter"
ALL = (OWNER, *map(roles.role_of, roles.RIGHTS), reader.ROLE)


def script(passwords: Mapping[str, str] | None = None) -> str:
    """What a superuser runs once; running it again does no harm.

    Args:
        passwords: of roles; None gives none, for who enters by a Unix socket under the role's own name.
    """
    lines = ["\\set ON_ERROR_STOP on", "SET password_encryption = 'scram-sha-256';"]
    for role in ALL:
        missing = f"NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}')"
        lines.append(f"SELECT 'CREATE ROLE {role} LOGIN' WHERE {missing} \\gexec")
    lines += [f"ALTER ROLE {role} LOGIN PASSWORD {_quoted(password)};" for role, password in (passwords or {}).items()]
    lines += [
        f"ALTER ROLE {reader.ROLE} SET default_transaction_read_only = on;",
        f"ALTER ROLE {reader.ROLE} SET statement_timeout = '30s';",
        f"SELECT 'CREATE DATABASE {DATABASE} OWNER {OWNER} ENCODING ''UTF8'' TEMPLATE template0'"
        f" WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec",
        f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC;",
        f"GRANT CONNECT ON DATABASE {DATABASE} TO {', '.join(ALL)};",
        f"\\connect {DATABASE}",
        "SELECT 'CREATE EXTENSION IF NOT EXISTS timescaledb' WHERE current_setting('shared_preload_libraries')"
        " LIKE '%timescaledb%' \\gexec",
    ]
    return "\n".join([*lines, ""])


def url(role: str, password: str, host: str) -> str:
    """How a role comes in by its password."""
    return f"postgresql://{role}:{quote(password, safe='')}@{host}:5432/{DATABASE}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
