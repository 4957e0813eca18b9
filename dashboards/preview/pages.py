"""The folder with the pages, which any browser opens without a server, and their pictures."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dashboards.preview.bundle import FILES
from dashboards.preview.document import PAGE_PX

Json = dict[str, Any]

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{title} · Lamplighter</title>
<link rel="stylesheet" href="preview.css">
<style>html {{ scrollbar-width: none }} body {{ margin: 0; overflow: auto }}</style>
<div id="board"></div>
<script src="{name}.data.js"></script>
<script src="preview.js"></script>
</html>
"""
_CELL_PX, _HEAD_PX, _MARGIN_PX = 38, 54, 8
"""A cell of the grid with what lies between two, the head of the page, and what stays free below."""
_CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--virtual-time-budget=15000"),
)
_PICTURE_S_MAX = 120


class NoPicture(Exception):
    """A picture cannot be taken; the sentence says why, and the mend."""


def write(folder: Path, bundle: Path, documents: Mapping[str, Json]) -> list[Path]:
    """Write each document's page (by its name) with what it needs beside it; returns the pages.

    Raises `OSError` where the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copy(bundle / name, folder)
    written = []
    for name, document in documents.items():
        text = json.dumps(document, ensure_ascii=False, allow_nan=False).replace("</", "<\\/")
        (folder / f"{name}.data.js").write_text(f"window.preview = {text};\n", encoding="utf-8")
        page = folder / f"{name}.html"
        page.write_text(_PAGE.format(title=document["dashboard"]["title"], name=name), encoding="utf-8")
        written.append(page)
    return written


def picture(page: Path, document: Json, file: Path, theme: str) -> None:
    """Take the picture of a page by Chromium, in the theme `dark` or `light`, as high as the dashboard is.

    Raises:
        NoPicture: there is no Chromium, or it does not take the picture.
    """
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in document["dashboard"]["panels"])
    size = f"--window-size={PAGE_PX},{rows * _CELL_PX + _HEAD_PX + _MARGIN_PX}"
    program = next(filter(None, map(shutil.which, _CHROMIUMS)), None)
    if program is None:
        raise NoPicture("Pictures need Chromium or Chrome, and neither is installed: leave --png out, or install one.")
    file.parent.mkdir(parents=True, exist_ok=True)
    address = f"{page.resolve().as_uri()}?theme={theme}"
    with tempfile.TemporaryDirectory() as profile:
        own = f"--user-data-dir={profile}"
        command = [program, *_FLAGS, own, size, f"--screenshot={file.resolve()}", address]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_PICTURE_S_MAX, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NoPicture(f"Chromium does not take the picture: {error}.") from error
    if done.returncode or not file.exists():
        said = done.stderr.strip().splitlines()
        raise NoPicture(f"Chromium does not take the picture: {said[-1] if said else f'exit code {done.returncode}'}")
