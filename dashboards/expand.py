"""What Grafana makes of a panel's SQL before PostgreSQL sees it: variables, interval, comments, macros, in this order.

Source: Grafana's `grafana-postgresql-datasource` (`macros.go`, 11 to 13) and its template variables. Checks run what
this makes, so that they need no Grafana; a macro or a format that Grafana does not know is an `ExpansionError` here.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from dashboards import intervals
from telemetry.clock import to_rfc3339

Variables = Mapping[str, str | Sequence[str]]
"""The chosen values: one, or several of a variable that allows it."""


class ExpansionError(ValueError):
    """Grafana would refuse this query, or send PostgreSQL something else than meant."""


@dataclass(frozen=True, slots=True)
class View:
    """What the person looking at the dashboard has chosen: the time range, and the interval that follows from it."""

    from_us: int
    to_us: int
    interval_ms: int
    variables: Variables
    timescaledb: bool


def expand(sql: str, view: View) -> str:
    """The SQL that Grafana sends. Raises `ExpansionError`."""
    for step in (_variables, _interval):
        sql = step(sql, view)
    return _macros(strip_comments(sql), view)


_VARIABLE = re.compile(r"\$(\w+)|\[\[(\w+)(?::(\w+))?\]\]|\$\{(\w+)(?::([^}]+))?\}")


def _variables(sql: str, view: View) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2] or match[4]
        if name not in view.variables:
            return match[0]
        return _format(view.variables[name], match[3] or match[5])

    return _VARIABLE.sub(value, sql)


def _format(value: str | Sequence[str], form: str | None) -> str:
    """Without a format the data source quotes several values and leaves a single one bare."""
    several = [value] if isinstance(value, str) else list(value)
    if form == "sqlstring" or (form is None and not isinstance(value, str)):
        return ",".join("'" + each.replace("'", "''") + "'" for each in several)
    if form in ("raw", "csv", None):
        return ",".join(several)
    raise ExpansionError(f"the format {form} of a variable is not used here")


def _interval(sql: str, view: View) -> str:
    for macro, value in (
        ("$__interval_ms", str(view.interval_ms)),
        ("$__interval", intervals.words(view.interval_ms)),
        ("$__unixEpochFrom()", str(view.from_us // 1_000_000)),
        ("$__unixEpochTo()", str(view.to_us // 1_000_000)),
    ):
        sql = sql.replace(macro, value)
    return sql


_QUOTED_OR_COMMENT = re.compile(
    r"""(?P<kept>'(?:[^']|'')*' | "(?:[^"]|"")*" | \$(?P<tag>[A-Za-z_]*)\$.*?\$(?P=tag)\$) | --[^\n]* | /\*.*?\*/""",
    re.VERBOSE | re.DOTALL,
)


def strip_comments(sql: str) -> str:
    """The SQL without comments, as Grafana 13's plugin does; what stands in quotes stays."""
    return _QUOTED_OR_COMMENT.sub(lambda match: match["kept"] or "", sql)


MACRO = re.compile(r"\$([_a-zA-Z0-9]+)\(([^)]*)\)")
"""How Grafana finds a macro: its argument ends at the first closing parenthesis."""


def _macros(sql: str, view: View) -> str:
    def value(match: re.Match[str]) -> str:
        name, arguments = match[1], [argument.strip(" ") for argument in match[2].split(",")]
        following = sql[sql.index(match[0]) + len(match[0]) :]
        if name == "__timeGroup" and following.startswith(","):
            name = "__timeGroupAlias"
        if name not in MACROS:
            raise ExpansionError(f"Grafana knows no macro ${name}")
        return MACROS[name](view, arguments)

    return MACRO.sub(value, sql)


Macro = Callable[[View, list[str]], str]


def _moment(us: int) -> str:
    """Quoted RFC 3339 as Go's `RFC3339Nano` writes it: no trailing zeros."""
    whole, dot, fraction = to_rfc3339(us).removesuffix("Z").partition(".")
    return f"'{whole}{dot}{fraction.rstrip('0')}Z'"


def _time_filter(view: View, arguments: list[str]) -> str:
    return f"{arguments[0]} BETWEEN {_moment(view.from_us)} AND {_moment(view.to_us)}"


def _epoch_filter(view: View, arguments: list[str]) -> str:
    column = arguments[0]
    return f"{column} >= {view.from_us // 1_000_000} AND {column} <= {view.to_us // 1_000_000}"


def _time_group(view: View, arguments: list[str]) -> str:
    column, seconds = arguments[0], _seconds(arguments)
    if view.timescaledb:
        return f"time_bucket('{float(seconds):.3f}s',{column})"
    return f"floor(extract(epoch from {column})/{_go(seconds)})*{_go(seconds)}"


def _epoch_group(_: View, arguments: list[str]) -> str:
    seconds = _go(_seconds(arguments))
    return f"floor(({arguments[0]})/{seconds})*{seconds}"


def _alias(macro: Macro) -> Macro:
    return lambda view, arguments: macro(view, arguments) + ' AS "time"'


MACROS: dict[str, Macro] = {
    "__time": lambda _, arguments: f'{arguments[0]} AS "time"',
    "__timeEpoch": lambda _, arguments: f'extract(epoch from {arguments[0]}) as "time"',
    "__timeFilter": _time_filter,
    "__timeFrom": lambda view, _: _moment(view.from_us),
    "__timeTo": lambda view, _: _moment(view.to_us),
    "__timeGroup": _time_group,
    "__timeGroupAlias": _alias(_time_group),
    "__unixEpochFilter": _epoch_filter,
    "__unixEpochGroup": _epoch_group,
    "__unixEpochGroupAlias": _alias(_epoch_group),
}


def _seconds(arguments: list[str]) -> Fraction:
    if len(arguments) < 2:
        raise ExpansionError("a group needs a time column and an interval")
    try:
        return intervals.seconds(arguments[1].strip("'"))
    except ValueError as error:
        raise ExpansionError(str(error)) from error


def _go(seconds: Fraction) -> str:
    """A number as Go's `%v` writes a float64: the fewest digits, with an exponent from a million on."""
    value = float(seconds)
    if value < 1_000_000:
        return repr(value).removesuffix(".0")
    mantissa, exponent = f"{Decimal(repr(value)).normalize():e}".split("e+")
    return f"{mantissa}e+{exponent:0>2}"
