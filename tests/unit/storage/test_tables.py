"""From a kind to its table and its rollups."""

import numpy as np
import pytest

from storage import rollups, tables
from telemetry.kinds import KINDS

LAMP = tables.of(KINDS["streetlight"])


def test_a_row_begins_with_what_every_observation_has() -> None:
    assert LAMP.column_names[:6] == (
        "observed_at",
        "asset_id",
        "received_at",
        "time_from_receipt",
        "seq",
        "level_pct",
    )
    assert [column.name for column in LAMP.fields] == [each.name for each in KINDS["streetlight"].properties]


def test_only_the_marked_field_is_required() -> None:
    assert [column.name for column in LAMP.fields if column.not_null] == ["level_pct"]


@pytest.mark.parametrize(
    ("kind", "field", "check"),
    [
        ("streetlight", "level_pct", "level_pct >= 0 AND level_pct <= 100"),
        ("streetlight", "energy_kwh", "energy_kwh >= 0 AND energy_kwh <= 1000000000000"),
        ("streetlight", "motion", "motion >= 0 AND motion <= 65535"),
        ("streetlight", "lamp_fault", None),
        ("drain_level", "level_m", "level_m >= -1 AND level_m <= 30"),
    ],
)
def test_a_range_becomes_a_check(kind: str, field: str, check: str | None) -> None:
    (column,) = (each for each in tables.of(KINDS[kind]).fields if each.name == field)
    assert column.check == check


@pytest.mark.parametrize("type", [tables.TIMESTAMPTZ, tables.DOUBLE, tables.INTEGER, tables.BIGINT, tables.BOOLEAN])
def test_the_wire_form_is_big_endian_and_of_its_size(type: tables.SqlType) -> None:
    assert (
        type.size
        == {"timestamp with time zone": 8, "double precision": 8, "integer": 4, "bigint": 8, "boolean": 1}[type.name]
    )
    assert np.dtype(type.wire).byteorder in (">", "|")


def test_rollup_columns_by_the_nature_of_the_field() -> None:
    names = [column.name for column in rollups.columns(KINDS["streetlight"])]
    assert names[:5] == ["count", "level_pct_avg", "level_pct_min", "level_pct_max", "level_pct_n"]
    assert [name for name in names if name.startswith(("energy", "motion", "lamp_fault"))] == [
        "energy_kwh_delta",
        "energy_kwh_avg",
        "energy_kwh_min",
        "energy_kwh_max",
        "energy_kwh_n",
        "motion_sum",
        "motion_min",
        "motion_max",
        "motion_n",
        "lamp_fault_true_count",
        "lamp_fault_n",
    ]


def test_zones_share_the_columns_of_equal_fields() -> None:
    names = [column.name for column in rollups.zone_columns(KINDS.values())]
    assert len(names) == len(set(names))
    assert {name for kind in KINDS.values() for name in (c.name for c in rollups.columns(kind))} == set(names)
