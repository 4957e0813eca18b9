"""What devices wrote reaches no terminal as control characters."""

import io

import pytest
import structlog

from lamplighter import logs, plain_text
from lamplighter.cli import run
from lamplighter.cli.tables import print_table

EVIL = "a\x1b]0;owned\x07\x9b2J\x7f\r\n"


def test_every_control_character_is_spelled_but_the_ends_of_lines_where_there_are_several() -> None:
    assert plain_text.line(EVIL) == r"a\u001b]0;owned\u0007\u009b2J\u007f\u000d\u000a"
    assert plain_text.lines(EVIL) == plain_text.line(EVIL[:-1]) + "\n"
    assert plain_text.line("Straße 日本 😀") == "Straße 日本 😀"


def test_tables_errors_and_the_log_for_people_spell_them(capfd: pytest.CaptureFixture[str]) -> None:
    print_table(["topic"], [[EVIL]])
    assert run(["decode", EVIL, "--hex", "00"]) == 2
    log = io.StringIO()
    try:
        logs.configure(style="text", file=log)
        structlog.get_logger().error(EVIL, device=EVIL)
    finally:
        structlog.reset_defaults()
    shown = "".join(capfd.readouterr()) + log.getvalue()
    assert "owned" in log.getvalue()
    assert not [each for each in shown if each != "\n" and plain_text.line(each) != each]
