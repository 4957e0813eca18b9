"""The rule file: what it may say, and one sentence with its line for whatever it must not."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.rulefile.document import BadDocument
from rules.rulefile.reading import read_rules, sections_with_own_figures, versioned
from telemetry.figures import known
from telemetry.registry import Registry
from telemetry.thresholds import DimmingStep, Thresholds
from tests.parts.cities import city, drain, lamp

PROGRAM = '[lighting]\nprogram = "p"\n[[lighting.programs]]\nname = "p"\n'
"""Its steps stand from line 5 on."""


def mistakes(text: str, registry: Registry | None = None) -> list[str]:
    with pytest.raises(BadDocument) as refused:
        read_rules(text, registry)
    return [str(each) for each in refused.value.mistakes]


def town() -> Registry:
    dark = lamp(2, zone="park", ring_sign=True)
    return city([lamp(1, zone="market"), dark, lamp(3, lighting_class="M1"), drain(4)]).registry


def test_what_a_file_leaves_out_is_as_usual() -> None:
    rules = read_rules("[drainage]\ndeadband_m = 0.1\n").thresholds
    assert rules.drainage.deadband_m == 0.1
    assert rules.drainage.high_raise_delay_s == Thresholds().drainage.high_raise_delay_s
    assert rules.lighting == Thresholds().lighting


def test_a_version_names_the_content_and_not_its_spelling() -> None:
    assert read_rules("# nothing").thresholds.version == versioned(Thresholds(version="rules")).version
    plain, spelt = read_rules("drainage.deadband_m = 0.1"), read_rules("[drainage] # wide\ndeadband_m = 1e-1")
    assert plain.thresholds.version == spelt.thresholds.version != read_rules("").thresholds.version
    assert read_rules('version = "winter"').thresholds.version.startswith("winter+")


def test_programs_are_ordered_steps_with_days_and_months() -> None:
    step = '[[lighting.programs.steps]]\nfrom = "22:00"\nto = "dawn-00:30"\nlevel_pct = 50\ndays = ["fri", "holiday"]\n'
    program, usual = read_rules(PROGRAM + step + "months = [11, 12]").thresholds.lighting.programs
    assert usual.name == "standard"
    assert program.steps == (DimmingStep("22:00", "dawn-00:30", 50.0, ("fri", "holiday"), (11, 12)),)


def test_an_asset_goes_before_its_zone_and_a_zone_before_the_town() -> None:
    text = 'zones.market.drainage.deadband_m = 0.1\nassets."D.1".drainage.deadband_m = 0.2\n'
    rules = read_rules(text).thresholds
    found = [
        rules.figure("drainage", "deadband_m", *who) for who in (("D.1", "market"), ("D2", "market"), ("D2", None))
    ]
    assert found == [0.2, 0.1, 0.05]


def test_a_calendar_and_a_program_join_the_usual_ones_or_replace_them() -> None:
    rules = read_rules(
        'calendars.fair.days=["05-01"]\n[[lighting.programs]]\nname="standard"\nnight_level_pct=80'
    ).thresholds
    assert set(rules.calendars) == {"holiday", "fair"}
    assert [(each.name, each.night_level_pct, each.steps) for each in rules.lighting.programs] == [("standard", 80, ())]


def test_toml_has_dates_and_times_of_its_own() -> None:
    assert read_rules("calendars.fair.days = [2026-05-01]").thresholds.calendars["fair"].days == ("2026-05-01",)
    rules = read_rules('notifications.sinks.m = {url_env="M", from=08:00:00}\nnotifications.routes=[{to=["m"]}]')
    assert rules.thresholds.notifications.sinks["m"].start == "08:00"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x = 1\ny = [", "line 2: This is not TOML"),
        ("x = " + "[" * 100_000, "line 1: Lists or tables lie too deep within each other."),
        ("[drianage]\n", "line 1: This file has no drianage (did you mean drainage?)."),
        ("[drainage]\ndeadbnd_m = 1", "line 2: drainage has no deadbnd_m (did you mean deadband_m?)."),
        ("[drainage]\ndeadband_cm = 5", "line 2: drainage has no deadband_cm: it is given in metres, as deadband_m."),
        (
            '[drainage]\n\nhigh_raise_delay_s = "6 min"',
            'line 3: drainage.high_raise_delay_s is "6 min", but it must be a whole number of seconds from 0 to 86_40',
        ),
        (
            "[drainage]\ndeadband_m = 5",
            "line 2: drainage.deadband_m is 5, but it must be a number of metres from 0.005 to 1.",
        ),
        (
            "[drainage]\ndeadband_m = nan",
            "line 2: drainage.deadband_m is NaN, but it must be a number of metres from 0.005 to 1.",
        ),
        ("[presence]\nmissed_intervals = true", "line 2: presence.missed_intervals is true, but it must be a whole"),
        ("[presence]\nlamps_silent_by_day = 1", "line 2: presence.lamps_silent_by_day is 1, but it must be true or"),
        ("drainage = 7", "line 1: drainage is 7, but it must be a table."),
        ("[lighting]\nprograms = 1", "line 2: lighting.programs is 1, but it must be a list."),
        (
            "[drainage]\nrain_wet_mm_h = 3",
            "line 2: drainage.rain_wet_mm_h is 3, but it must be at most rain_heavy_mm_h",
        ),
        (
            "[parking]\nalmost_full_clear_pct = 95",
            "line 2: parking.almost_full_clear_pct is 95, but it must be below almost_full_pct, which is 90.",
        ),
        ("[lighting]\nprogram = 'nacht'", 'line 2: There is no program "nacht".'),
        (
            "[lighting.class_min_pct]\nM1 = 20",
            "line 2: The floor of lighting class M1 is 20 %, but it must not be below",
        ),
        ("[lighting.class_min_pct]\nM7 = 20", 'line 2: There is no lighting class "M7"'),
        ("[zones.park.drainag]\nx = 1", "line 1: zones.park.drainag: zones and assets have no figures of their own"),
        (
            "[zones.park.parking]\nttl_s = 30",
            "line 2: parking.ttl_s is the same everywhere; no zone or asset has its own.",
        ),
        (
            "[zones.park.drainage]\ndeadband_m = 9",
            "line 2: zones.park.drainage.deadband_m is 9, but it must be a number",
        ),
        (
            "[zones.park.drainage]\nrain_wet_mm_h = 3",
            "line 2: zones.park.drainage.rain_wet_mm_h is 3, but it must be at most rain_heavy_mm_h, which is 2.",
        ),
        (
            "[calendars.fair]\ndays = ['1000-01-01..9000-01-01']",
            "line 2: The calendar fair has 1000-01-01..9000-01-01, wh",
        ),
        ("[calendars.fair]\ndays = ['24.12.']", "line 2: calendars.fair.days: '24.12.' is no date"),
        (
            "[calendars.fair]\ndays = ['2026-05-01', '2028-05-01']",
            "line 1: The calendar fair has dates of 2026 and 2028, but none of 2027.",
        ),
        (
            "[calendars.fair]\ndays = [\n'12-20..01-06',\n'01-06']",
            "line 4: The calendar fair has 01-06 twice: 12-20..01-06 holds it already.",
        ),
        (
            "[[parking.hours]]\nzones = ['p']\ndays = ['mon..sat']\nfrom='08:00'\nto='20:00'",
            'line 1: The opening hours of zone "p" say nothing of Sundays: give hours, or closed = true.',
        ),
        (
            "[[parking.hours]]\nzones = ['p']\ndays = ['mon..sun']\nto='20:00'\n"
            "[[parking.hours]]\nzones = ['p']\ndays = ['sun']\nfrom='19:00'\nto='22:00'",
            'line 5: These opening hours of zone "p" overlap with those of line 1.',
        ),
        ("[[parking.closures]]\nname='Markt'\nzones=['p']", "line 1: parking.closures has no days: on these days."),
        ("[notifications.sinks.mail]", "line 1: The sink mail needs its URL from one place: url_file or url_env."),
        ("[[notifications.routes]]\nto = ['mail']", 'line 2: There is no sink "mail".'),
        ("[notifications.sinks.m]\nurl_env = 'M'", 'line 1: No route leads to the sink "m".'),
        (
            "[notifications]\nsinks.m.url_env = 'M'\n[[notifications.routes]]\nto = ['m']\nescalate_after_s = 60",
            "line 3: escalate_after_s and escalate_to go together.",
        ),
    ],
)
def test_bad_input_is_one_sentence_with_its_line(text: str, sentence: str) -> None:
    found = mistakes(text)
    assert any(each.startswith(sentence) for each in found), found


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ("{from='22:00', to='5:00', level_pct=50}", "line 5: lighting.programs.steps.to: '5:00' is no time of day"),
        ("{from='22:00', to='22:00', level_pct=50}", "line 5: The step from 22:00 to 22:00 ends when it begins."),
        ("{from='22:00', level_pct=50}", "line 5: lighting.programs.steps has no to: up to this time."),
        (
            "{from='22:00', to='05:00', level_pct=5}",
            "line 5: 5 % is less than any lighting class allows at night, 10 %",
        ),
        (
            "{from='22:00', to='05:00', level_pct=50, days=['holliday']}",
            'line 5: There is no weekday or calendar "holl',
        ),
        (
            "{from='22:00', to='05:00', level_pct=50},\n{from='23:00', to='04:00', level_pct=30, days=['fri']}",
            "line 6: This step is never reached: the one of line 5 goes before it all the time.",
        ),
    ],
)
def test_a_program_that_cannot_be_is_refused(steps: str, sentence: str) -> None:
    (found,) = mistakes(f"{PROGRAM}steps = [{steps}]")
    assert found.startswith(sentence)


def test_a_step_of_the_whole_day_is_one() -> None:
    assert read_rules(f"{PROGRAM}steps = [{{from='00:00', to='24:00', level_pct=80}}]")


def test_all_mistakes_come_at_once_in_the_order_of_their_lines() -> None:
    found = mistakes("[presence]\nmissed_intervals = 0\n[drainage]\ndeadband_m = 5\nx = 1\n[lighting]\nprogram = 'q'")
    assert [each.partition(":")[0] for each in found] == ["line 2", "line 4", "line 5", "line 7"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[zones.markt.drainage]\n", 'line 1: There is no zone "markt" in the registry (did you mean market?).'),
        ("[assets.x]\n", 'line 1: There is no asset "x" in the registry.'),
        (
            "[assets.streetlight-1]\ndrainage.deadband_m=0.1",
            "line 2: streetlight-1 is a streetlight, to which drainage",
        ),
        ("[[notifications.routes]]\nto=[]\nzones = ['parc']", 'line 3: There is no zone "parc" (did you mean park?).'),
    ],
)
def test_what_the_registry_does_not_know_is_named(text: str, sentence: str) -> None:
    (found,) = mistakes(text, town())
    assert found.startswith(sentence)
    assert read_rules(text)


def test_lamps_without_sign_394_are_not_switched_off() -> None:
    step = "steps = [{from='01:00', to='04:00', level_pct=0}]"
    (found,) = mistakes(PROGRAM + step, town())
    assert found.startswith('line 5: The program "p" switches lamps off at night, but 2 lamps (streetlight-1, streetl')
    assert read_rules('zones.park.lighting.program = "p"\n' + (PROGRAM + step).replace('program = "p"', ""), town())


def test_a_level_below_a_lamps_floor_is_noted_and_raised() -> None:
    (note,) = read_rules(f"{PROGRAM}steps = [{{from='01:00', to='04:00', level_pct=40}}]", town()).notes
    assert str(note) == 'line 5: Where "p" says 40 %, 1 lamp (streetlight-3) stay at their higher floor.'


def test_a_photocell_is_a_street_light() -> None:
    said = mistakes('[zones.park.lighting]\nphotocell = "drain_level-4"', town())
    assert said == ['line 2: "drain_level-4" is no street light, so it reports no lux to switch by.']


def test_a_clock_that_switches_within_the_night_of_the_guards_is_noted() -> None:
    late = read_rules("[lighting]\ndusk_offset_s = 300\ndawn_offset_s = 300").notes
    assert [str(each) for each in late] == [
        "line 2: Lamps burn at their floor for 300 s after civil dusk, for then they must not be off."
    ]
    assert read_rules("[lighting]\nsun_below_horizon_deg = 0.833\ndusk_offset_s = 300").notes == ()


EXAMPLE = (Path(__file__).parents[3] / "docs" / "rules.example.toml").read_text()
VALUES = [found.span(1) for found in re.finditer(r'= ("[^"]*"|[\d_.-]+|\[[^\]]*\])', EXAMPLE)]
ANYTHING = [
    "-1",
    "1.5",
    "nan",
    "1e400",
    "true",
    '"x"',
    '""',
    "[]",
    "{}",
    "[[1]]",
    "[{}]",
    "2026-01-01",
    "12:00:00",
    '"\\u0000"',
]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(VALUES), st.sampled_from(ANYTHING)), min_size=1, max_size=3))
def test_whatever_stands_in_a_file_is_taken_or_refused_in_words(slips: list[tuple[tuple[int, int], str]]) -> None:
    text = EXAMPLE
    for (first, last), value in sorted(slips, reverse=True):
        text = text[:first] + value + text[last:]
    try:
        read_rules(text, town())
    except BadDocument as refused:
        for each in refused.mistakes:
            assert 1 <= each.line <= len(text.splitlines())
            assert each.sentence.endswith(".")


def test_every_figure_says_what_it_means_and_its_default_keeps_its_range() -> None:
    for section in sections_with_own_figures():
        held = getattr(Thresholds(), section)
        for each in fields(held):
            about, value = known(each), getattr(held, each.name)
            if section == "lighting" and each.name in ("steps", "night_level_pct", "day_level_pct"):
                continue
            assert about.words, f"{section}.{each.name}"
            assert not about.words.endswith(".")
            if isinstance(value, int | float) and not isinstance(value, bool):
                assert about.low is None or value >= about.low, each.name
                assert about.high is None or value <= about.high, each.name
