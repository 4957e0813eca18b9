"""The site builds without a warning, and its pages ask nobody else for anything."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

REQUESTS = re.compile(
    r"""(?:<(?:script|img|iframe|source|video|audio|embed)\b[^>]*\bsrc=|<link\b[^>]*\bhref=|@import\s|\burl\(|\bfetch\()"""
    r"""\s*["']?\s*(?P<url>(?:https?:)?//[^"')\s>]+)"""
)
"""What makes a browser fetch something from elsewhere without being asked to."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make site` builds it."""
    built = tmp_path_factory.mktemp("site")
    options = ["--quiet", "--fail-on-warning", "--keep-going", "--nitpicky", "-d", str(built / ".doctrees")]
    command = [sys.executable, "-m", "sphinx", *options, str(ROOT / "docs"), str(built)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return built


def test_every_page_is_built_and_found_from_the_first(site: Path) -> None:
    sources = {str(path.relative_to(ROOT / "docs").with_suffix("")) for path in (ROOT / "docs").rglob("*.md")}
    assert {name for name in sources if not (site / f"{name}.html").exists()} == set()
    first = (site / "index.html").read_text()
    assert {name for name in sources if f'href="{name}.html' not in first} - {"index"} == set()


def test_nobody_else_is_asked_for_anything(site: Path) -> None:
    asked = {
        (file.name, found["url"])
        for file in site.rglob("*")
        if file.suffix in (".html", ".css", ".js", ".svg")
        for found in REQUESTS.finditer(file.read_text(errors="replace"))
    }
    assert asked == set()
