"""Every command that a page shows is run beside a running demo, or the page says why it cannot be.

Words in capitals (`DATABASE`, `MQTT`, `TOKEN`, …) stand for what the demo has printed, as they do for readers;
`CHECKOUT` is the folder with the source.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.acceptance.city import City, demo
from tests.docs.pages import DOCS, README, ROOT, Fence, Page

READ = [README, *DOCS]
NOT_RUN_MAX = 30
"""So many blocks may be marked as not run; whoever needs another one says in its mark why."""
COMMAND_S_MAX = 120
"""A command that takes longer hangs; on a machine with nothing else to do a few seconds are much."""
USUAL_ADDRESS = "http://127.0.0.1:8080"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("docs")
    with demo(folder / "town", "--devices", "30", "--speak", "native=80,chirpstack=20") as city:
        yield city


@pytest.fixture(scope="module")
def words(town: City) -> dict[str, str]:
    """What the words in capitals stand for."""
    mqtt = urlsplit(town.ready["mqtt"])
    lamp = town.get("/ops/v1/assets", kind="streetlight", limit=1)["items"][0]
    return {
        USUAL_ADDRESS: town.ready["http"],
        "DATABASE": town.ready["database"],
        "MQTT": town.ready["mqtt"],
        "TOKEN": town.ready["ops_token"],
        "PORT": str(mqtt.port),
        "USER": str(mqtt.username),
        "PASSWORD": str(mqtt.password),
        "DEVICE": lamp["device"],
        "LAMP": lamp["asset"],
        "CHECKOUT": str(ROOT),
    }


def filled(text: str, words: dict[str, str]) -> str:
    for word, value in words.items():
        text = re.sub(rf"(?<![\w-]){re.escape(word)}(?![\w-])", lambda _, value=value: value, text)
    return text


class Shell:
    """A reader's terminal: one folder, in which what one block sets the next one finds."""

    def __init__(self, folder: Path, words: dict[str, str]) -> None:
        self._folder, self._state = folder, folder / ".state"
        tools = Path(sys.executable).parent
        self._environment = {
            "PATH": f"{tools}:{os.environ['PATH']}",
            "HOME": str(folder),
            "LAMPLIGHTER_DATABASE_URL": words["DATABASE"],
            "LAMPLIGHTER_MQTT_URL": words["MQTT"],
            "LAMPLIGHTER_CITY_LAT": "51.41",
            "LAMPLIGHTER_CITY_LON": "7.37",
            "COLUMNS": "120",
            "PYTHONUNBUFFERED": "1",  # so that lines come in the order in which a terminal shows them
        }

    def run(self, commands: str) -> tuple[int, str]:
        """The exit code of the commands, which end at the first that fails, and all that they print."""
        keep = f"trap 'export -p > {self._state}' EXIT; [ ! -e {self._state} ] || . {self._state}\n"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", keep + commands],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_S_MAX,
            check=False,
        )
        return done.returncode, done.stdout

    def write(self, name: str, text: str) -> None:
        """What the page has its reader write."""
        (self._folder / name).write_text(text)


def resembles(said: str, shown: str) -> bool:
    """Whether the output is the shown one, `…` standing for anything."""
    pattern = re.escape(shown.strip()).replace("…", ".*")
    return re.fullmatch(pattern, said.strip(), re.DOTALL) is not None


def steps(page: Page) -> Iterator[tuple[Fence, Fence | None]]:
    """What there is to be done, each with the output that is shown below it."""
    fences = page.fences
    for fence, following in zip(fences, [*fences[1:], None], strict=False):
        if fence.file or (fence.is_shell and fence.why_not_run is None):
            yield fence, following if following and following.language == "text" else None


@pytest.mark.parametrize("page", [page for page in READ if any(step.is_shell for step, _ in steps(page))], ids=str)
def test_commands_do_what_the_page_says(page: Page, words: dict[str, str], tmp_path: Path) -> None:
    shell = Shell(tmp_path, words)
    for fence, shown in steps(page):
        if fence.file:
            shell.write(fence.file, fence.text)
            continue
        code, said = shell.run(filled(fence.text, words))
        if code != fence.exit_code:
            pytest.fail(f"{page}:{fence.line} ended with {code}:\n{fence.text}{said}", pytrace=False)
        if shown and not resembles(said, filled(shown.text, words)):
            pytest.fail(f"{page}:{shown.line} shows\n{shown.text}but it says\n{said}", pytrace=False)


def test_what_is_not_run_says_why() -> None:
    left_out = [(page, fence) for page in READ for fence in page.fences if fence.why_not_run is not None]
    print(*(f"{page}:{fence.line} is not run: {fence.why_not_run}" for page, fence in left_out), sep="\n")
    assert all(fence.why_not_run for _, fence in left_out)
    assert len(left_out) <= NOT_RUN_MAX
