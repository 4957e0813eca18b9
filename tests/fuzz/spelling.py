"""How the options of the fuzzers are spelled."""

import argparse

import typer

from lamplighter.cli.spelling import parse_duration


def duration_s(text: str) -> float:
    """Real seconds of a text such as `60s`."""
    try:
        return parse_duration(text)
    except typer.BadParameter as wrong:
        raise argparse.ArgumentTypeError(wrong.message) from wrong
