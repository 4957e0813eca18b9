"""The few shapes of panels that our dashboards are made of: stat, table, map, time series, state timeline.

The SDK leaves ids empty and its automatic layout leaves holes, so a panel is told its id and its place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.models import common, dashboard, geomap, stat, statetimeline, table, timeseries

from dashboards import postgres, units

Steps = Sequence[tuple[float | None, str]]
"""Thresholds, lowest first: from this value on (`None`: from the beginning) this colour."""

PLAIN: Steps = ((None, "blue"),)
"""The colour of a figure that is neither good nor bad."""
ANY_IS_BAD: Steps = ((None, "green"), (1, "red"))
ANY_IS_ODD: Steps = ((None, "text"), (1, "orange"))
"""Colours of counts of what should not happen, and of what should be looked at."""
NOTHING = "–"
"""What stands for a figure or a cell that is not there."""
_CELL_PX_MIN = 60
"""Grafana's own least width of a column hides the last ones of a narrow table."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What every panel has: its id (never changed, never used again), title, question answered, and place in the grid.

    The grid has 24 columns; `at` is (column, row) of the upper left corner, `size` (width, height), all in its cells.
    """

    number: int
    title: str
    description: str
    at: tuple[int, int]
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Column:
    """How one column of a table, one figure or one line looks: `unit`, `words` with colours instead of values.

    `None` leaves it to the panel; `steps` colours figures, `colour` a line, which may be `dashed`. `width` in pixels.
    """

    unit: str | None = None
    words: Mapping[str, tuple[str, str]] | None = None
    steps: Steps | None = None
    width: int | None = None
    link: dashboard.DashboardLink | None = None
    is_hidden: bool = False
    colour: str | None = None
    dashed: bool = False


MOMENT = Column(unit=units.MOMENT, width=155)
"""A column of moments, which takes just this much room."""


def stat_panel(
    heading: Heading, sql: str, unit: str, steps: Steps = PLAIN, columns: Mapping[str, Column] | None = None
) -> dashboard.Panel:
    """One row of figures, large; several columns are shown side by side under their names."""
    options = stat.Options(
        reduce_options=common.ReduceDataOptions(calcs=["lastNotNull"], fields="", values=False),
        graph_mode=common.BigValueGraphMode.NONE,
        color_mode=common.BigValueColorMode.VALUE,
        text_mode=common.BigValueTextMode.VALUE_AND_NAME if columns else common.BigValueTextMode.AUTO,
    )
    defaults = _defaults(unit, steps)
    defaults.no_value = NOTHING
    return _panel("stat", heading, postgres.Query(sql), options, defaults, columns)


def table_panel(
    heading: Heading, sql: str, columns: Mapping[str, Column], unit: str = units.TEXT, nothing: str = NOTHING
) -> dashboard.Panel:
    """Rows as the query orders them; `nothing` is said where there are none, a dash where a cell has nothing."""
    defaults = _defaults(unit, ())
    defaults.no_value = nothing
    defaults.custom = table.FieldConfig(align=common.FieldTextAlignment.AUTO, min_width=_CELL_PX_MIN)
    options = table.Options(cell_height=common.TableCellHeight.SM)
    return _panel("table", heading, postgres.Query(sql), options, defaults, columns, [_EVERY_CELL])


def map_panel(heading: Heading, sql: str, colour_of: str, states: Sequence[tuple[str, str]]) -> dashboard.Panel:
    """Markers at the columns `latitude` and `longitude`, coloured by the state number in the column `colour_of`.

    `states` are the words and colours of the numbers 0, 1, 2 …; the map is fitted to the markers.
    """
    style = {
        "color": {"field": colour_of, "fixed": "blue"},
        "opacity": 0.9,
        "size": {"fixed": 6, "min": 4, "max": 12},
        "symbol": {"fixed": "img/icons/marker/circle.svg", "mode": "fixed"},
    }
    markers = common.MapLayerOptions(
        type_val="markers",
        name="Assets",
        config={"showLegend": True, "style": style},
        location=common.FrameGeometrySource(
            mode=common.FrameGeometrySourceMode.COORDS, latitude="latitude", longitude="longitude"
        ),
        tooltip=True,
    )
    options = geomap.Options(
        view=geomap.MapViewConfig(id_val="fit", zoom=16),
        controls=geomap.ControlsOptions(show_zoom=True, mouse_wheel_zoom=True, show_attribution=True, show_scale=True),
        basemap=common.MapLayerOptions(type_val="default", name="Streets"),
        layers=[markers],
        tooltip=geomap.TooltipOptions(mode=geomap.TooltipMode.DETAILS),
    )
    defaults = _defaults(units.COUNT, steps_of(states))
    defaults.mappings = [_mapping(words_of(states))]
    return _panel("geomap", heading, postgres.Query(sql), options, defaults)


@dataclass(frozen=True, slots=True)
class Line:
    """How a time series is drawn.

    `gap_s`: readings further apart are not joined. `stacked`: series stand upon each other. `bars` instead of lines.
    `steps` are drawn as dashed lines with areas; none where empty. `low` and `high` bound the axis, `None` leaves it.
    """

    gap_s: int
    stacked: bool = False
    bars: bool = False
    steps: Steps = ()
    low: float | None = None
    high: float | None = None


def trend_panel(
    heading: Heading,
    sql: str,
    unit: str,
    line: Line,
    interval_s: int,
    columns: Mapping[str, Column] | None = None,
    nothing: str = "Nothing was reported in this time",
) -> dashboard.Panel:
    """Lines over time; a point stands for at least `interval_s` seconds. `columns` are the looks of single lines.

    Colours follow the order of the lines: by their names, several would be taken for one.
    """
    defaults = _defaults(unit, line.steps)
    defaults.no_value = nothing
    defaults.color = dashboard.FieldColor(mode=dashboard.FieldColorModeId.PALETTE_CLASSIC)
    defaults.min_val, defaults.max_val = line.low, line.high
    shown = common.GraphThresholdsStyleMode.DASHED_AND_AREA if line.steps else common.GraphThresholdsStyleMode.OFF
    stacking = common.StackingMode.NORMAL if line.stacked else common.StackingMode.NONE
    defaults.custom = timeseries.FieldConfig(
        draw_style=common.GraphDrawStyle.BARS if line.bars else common.GraphDrawStyle.LINE,
        fill_opacity=60 if line.bars else 15 if line.stacked else 0,
        line_width=1 if line.bars else 2,
        show_points=common.VisibilityMode.NEVER,
        span_nulls=line.gap_s * 1000,
        stacking=common.StackingConfig(mode=stacking, group="A"),
        thresholds_style=common.GraphThresholdsStyleConfig(mode=shown),
    )
    options = timeseries.Options(legend=_legend(), tooltip=_tooltip())
    panel = _panel("timeseries", heading, postgres.Query(sql, "time_series"), options, defaults, columns)
    panel.interval = f"{interval_s}s"
    return panel


def timeline_panel(
    heading: Heading, sql: str, states: Sequence[tuple[str, str]], interval_s: int, gap_s: int
) -> dashboard.Panel:
    """A band for each series that changes colour with its state; `states` are the words and colours of 0, 1, 2 …"""
    defaults = _defaults(units.COUNT, steps_of(states))
    defaults.mappings = [_mapping(words_of(states))]
    defaults.custom = statetimeline.FieldConfig(line_width=0, fill_opacity=75, span_nulls=gap_s * 1000)
    options = statetimeline.Options(
        merge_values=True,
        show_value=common.VisibilityMode.NEVER,
        row_height=0.85,
        legend=_legend(),
        tooltip=_tooltip(),
    )
    panel = _panel("state-timeline", heading, postgres.Query(sql, "time_series"), options, defaults)
    panel.interval = f"{interval_s}s"
    return panel


def steps_of(states: Sequence[tuple[str, str]]) -> Steps:
    """Thresholds that give the state numbers 0, 1, 2 … their colours."""
    return tuple((number or None, colour) for number, (_, colour) in enumerate(states))


def words_of(states: Sequence[tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """The words and colours of the state numbers 0, 1, 2 … by the number."""
    return {str(number): state for number, state in enumerate(states)}


_EVERY_CELL = dashboard.DashboardFieldConfigSourceOverrides(
    matcher=dashboard.MatcherConfig(id_val="byRegexp", options="/.*/"),
    properties=[dashboard.DynamicConfigValue(id_val="noValue", value=NOTHING)],
)
"""Without it Grafana says in every cell that has nothing what it says of a table that has no rows."""


def _panel(
    shape: str,
    heading: Heading,
    query: postgres.Query,
    options: object,
    defaults: dashboard.FieldConfig,
    columns: Mapping[str, Column] | None = None,
    more: Sequence[dashboard.DashboardFieldConfigSourceOverrides] = (),
) -> dashboard.Panel:
    overrides = [*more, *(_override(shape, name, column) for name, column in (columns or {}).items())]
    return dashboard.Panel(
        type_val=shape,
        id_val=heading.number,
        title=heading.title,
        description=heading.description,
        datasource=postgres.source(),
        targets=[query],
        grid_pos=_place(heading),
        options=options,
        field_config=dashboard.FieldConfigSource(
            defaults=defaults, overrides=[override for override in overrides if override.properties]
        ),
    )


def _place(heading: Heading) -> dashboard.GridPos:
    (x, y), (width, height) = heading.at, heading.size
    return dashboard.GridPos(h=height, w=width, x=x, y=y)


def _defaults(unit: str, steps: Steps) -> dashboard.FieldConfig:
    colour = dashboard.FieldColor(mode=dashboard.FieldColorModeId.THRESHOLDS)
    return dashboard.FieldConfig(
        unit=unit, decimals=units.decimals(unit), color=colour, thresholds=_thresholds(steps or ((None, "text"),))
    )


def _thresholds(steps: Steps) -> dashboard.ThresholdsConfig:
    each = [dashboard.Threshold(value=value, color=colour) for value, colour in steps]
    return dashboard.ThresholdsConfig(mode=dashboard.ThresholdsMode.ABSOLUTE, steps=each)


def _mapping(words: Mapping[str, tuple[str, str]]) -> dashboard.ValueMap:
    results = {
        value: dashboard.ValueMappingResult(text=text, color=colour, index=index)
        for index, (value, (text, colour)) in enumerate(words.items())
    }
    return dashboard.ValueMap(options=results)


def _override(shape: str, name: str, column: Column) -> dashboard.DashboardFieldConfigSourceOverrides:
    is_coloured_cell = shape == "table" and (column.words is not None or column.steps is not None)
    values: dict[str, object] = {
        "unit": column.unit,
        "decimals": column.unit and units.decimals(column.unit),
        "mappings": column.words and [_mapping(column.words)],
        "thresholds": column.steps and _thresholds(column.steps),
        "color": column.colour and {"mode": "fixed", "fixedColor": column.colour},
        "custom.lineStyle": {"fill": "dash", "dash": [10, 10]} if column.dashed else None,
        "links": column.link and [column.link],
        "custom.hideFrom.viz": column.is_hidden or None,  # Grafana's from 12.2 on
        "custom.hidden": column.is_hidden or None,  # and before
        "custom.cellOptions": {"type": "color-text"} if is_coloured_cell else None,
        "custom.width": column.width,
    }
    return dashboard.DashboardFieldConfigSourceOverrides(
        matcher=dashboard.MatcherConfig(id_val="byName", options=name),
        properties=[
            dashboard.DynamicConfigValue(id_val=key, value=value) for key, value in values.items() if value is not None
        ],
    )


def _legend() -> common.VizLegendOptions:
    return common.VizLegendOptions(
        display_mode=common.LegendDisplayMode.LIST, placement=common.LegendPlacement.BOTTOM, show_legend=True
    )


def _tooltip() -> common.VizTooltipOptions:
    return common.VizTooltipOptions(mode=common.TooltipDisplayMode.MULTI, sort=common.SortOrder.DESCENDING)
