"""Commands, options, settings and make targets that a page names are there, also where nothing of it can be run."""

import re
import shlex
from collections.abc import Iterator

import pytest
import typer

from lamplighter.cli.later import grown
from lamplighter.cli.tree import tree
from lamplighter.settings import Settings
from tests.docs.pages import DOCS, PAGES, README, ROOT, Page

COMMANDS = grown(typer.main.get_command(tree))
SETTINGS = {f"LAMPLIGHTER_{name.upper()}" for name in Settings.model_fields}
ELSEWHERE = re.compile(r"LAMPLIGHTER_(TEST_|GRAFANA_DATABASE_|GRAFANA_DASHBOARDS|GRAFANA_CONTACT|READER_PASSWORD)")
"""Variables that are read by the tests, or by Grafana."""
FOLDERS = [path.name for path in ROOT.iterdir() if path.is_dir() and path.name not in ("build", "data", "dist")]
WRITTEN_BY_READERS = {
    "telemetry/kinds/air_quality.py",
    "gateway/codecs/acme/gauge.py",
    "tests/unit/gateway/vectors/acme__gauge.json",
    "storage/lights.py",
    "api/lights.py",
}
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def written(page: Page) -> Iterator[str]:
    """Everything on the page that may be a command, a line at a time."""
    yield from page.words_as_code
    for fence in page.fences:
        yield from fence.text.replace("\\\n", " ").splitlines()


def commands(page: Page, program: str) -> Iterator[list[str]]:
    """The words after the program's name, up to what is the shell's or left out."""
    for line in written(page):
        for found in re.finditer(rf"(?:^|[;&|(]|# ) *{program} ([^|;&<>)#…]*)", line):
            try:
                yield shlex.split(found[1])
            except ValueError:  # a quotation that goes on in the next line
                yield found[1].split("'")[0].split('"')[0].split()


def mistakes(words: list[str]) -> Iterator[str]:
    """What the command line would not know."""
    command, is_named = COMMANDS, False
    for word in words:
        inner = getattr(command, "commands", {})
        if word.startswith("--"):
            known = {option for each in command.params for option in each.opts} | {"--help"}
            if word.partition("=")[0] not in known:
                yield word
        elif word in inner:
            command, is_named = inner[word], True
        elif inner and not (is_named and any(param.param_type_name == "argument" for param in command.params)):
            yield word


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_what_a_page_names_is_there(page: Page) -> None:
    unknown = [(words, wrong) for words in commands(page, "lamplighter") for wrong in mistakes(words)]
    assert not unknown
    assert {words[0] for words in commands(page, "make") if words} <= TARGETS
    named = set(re.findall(r"\bLAMPLIGHTER_[A-Z_]*[A-Z]", page.path.read_text()))
    assert {name for name in named - SETTINGS if not ELSEWHERE.match(name)} == set()


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_files_that_a_page_names_are_there(page: Page) -> None:
    named = {word for word in page.words_as_code if re.fullmatch(rf"({'|'.join(FOLDERS)})/[\w./-]*", word)}
    lost = {name for name in named if not (ROOT / name).exists() and not (page.path.parent / name).exists()}
    assert lost <= WRITTEN_BY_READERS


def test_commands_stand_where_they_are_run() -> None:
    """What is to be typed stands in an `sh` fence, so that `test_commands.py` runs it or the page says why not."""
    typed = re.compile(r"^[$#]? ?(lamplighter|make|curl|mosquitto_\w+|export|docker|systemctl|psql|pip) ", re.MULTILINE)
    elsewhere = [
        f"{page}:{fence.line}"
        for page in (README, *DOCS)
        for fence in page.fences
        if not fence.is_shell and fence.language != "text" and typed.search(fence.text)
    ]
    assert elsewhere == []
