"""From a kind to the SQL of buckets: pieces that add up, cut from rows, hours or days.

A piece has a time, a count, and of each field how many readings there are, their total, least and greatest. Pieces of
any size add up to the same bucket, so that a bucket's figures do not tell what it was made of. A boolean counts as 0
and 1.
"""

from psycopg import sql

from telemetry.kind import Kind, Property


def of_rows(kind: Kind) -> sql.Composed:
    """The pieces of single observations."""
    return _joined(sql.SQL("1::bigint AS count"), *(_of_row(each) for each in kind.properties))


def of_rollups(kind: Kind) -> sql.Composed:
    """The pieces of hours or days, which are kept as `rollups.columns` says."""
    return _joined(sql.SQL("count"), *(_of_rollup(each) for each in kind.properties))


def figures(kind: Kind) -> sql.Composed:
    """What a bucket says of each field, from its pieces, under the names of `bucket_names`."""
    return _joined(*(_figures(each) for each in kind.properties))


def bucket_names(each: Property) -> tuple[str, ...]:
    """The names of a field's figures in a bucket."""
    names = (f"{each.name}_avg", f"{each.name}_min", f"{each.name}_max")
    further = {"truth": (f"{each.name}_true_count",), "sum": (f"{each.name}_sum",)}
    return names + further.get(each.rollup, ())


def _of_row(each: Property) -> sql.Composed:
    value = "{field}::int" if each.type is bool else "{field}"
    figures = ", ".join(f"{value} AS {{{role}}}" for role in ("total", "least", "most"))
    return _format(f"({{field}} IS NOT NULL)::int::bigint AS {{n}}, {figures}", each)


def _of_rollup(each: Property) -> sql.Composed:
    if each.rollup == "truth":
        return _format(
            "{kept_n} AS {n}, CASE WHEN {kept_n} > 0 THEN {true} END AS {total}, "
            "CASE WHEN {kept_n} > 0 THEN ({true} = {kept_n})::int END AS {least}, "
            "CASE WHEN {kept_n} > 0 THEN ({true} > 0)::int END AS {most}",
            each,
        )
    total = "{sum}" if each.rollup == "sum" else "{avg} * {kept_n}"
    whole = "::int" if each.type is int else ""
    return _format(
        f"{{kept_n}} AS {{n}}, {total} AS {{total}}, {{min}}{whole} AS {{least}}, {{max}}{whole} AS {{most}}", each
    )


def _figures(each: Property) -> sql.Composed:
    total = "sum({total})" if each.type is float else "sum({total})::bigint"
    further = {"truth": f", {total} AS {{true}}", "sum": f", {total} AS {{sum}}"}
    return _format(
        "(sum({total}) / nullif(sum({n}), 0))::float8 AS {avg}, min({least}) AS {min}, max({most}) AS {max}"
        + further.get(each.rollup, ""),
        each,
    )


def _format(text: str, each: Property) -> sql.Composed:
    """The text with the field's own columns by their role: those of a piece, and those that a rollup keeps."""
    name = each.name
    columns = {
        "field": name,
        "n": f"{name}/n",
        "total": f"{name}/total",
        "least": f"{name}/least",
        "most": f"{name}/most",
        "kept_n": f"{name}_n",
        "true": f"{name}_true_count",
        **{figure: f"{name}_{figure}" for figure in ("avg", "min", "max", "sum")},
    }
    return sql.SQL(text).format(**{role: sql.Identifier(column) for role, column in columns.items()})


def _joined(*parts: sql.Composable) -> sql.Composed:
    return sql.SQL(", ").join(parts)
