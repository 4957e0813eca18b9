"""A dashboard is drawn without Grafana, from the answers that the reader gets."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.async_api import Page, async_playwright

from dashboards.build import documents
from dashboards.preview import bundle, pages
from dashboards.preview.document import Look, document
from storage import reader
from storage.pool import connect
from tests.integration.dashboards import town

Json = dict[str, Any]
BOARD: Json = json.loads(documents()["overview.json"])
PAGES = {BOARD["uid"]: "overview.html"}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def overview(native_town: str) -> Json:
    """The Overview's document; the page gets it as JSON."""

    async def look() -> Json:
        async with await connect(native_town, application="test") as connection, reader.reading(connection) as ask:
            return await document(BOARD, ask, Look(town.NOW_US, "Europe/Berlin"), PAGES)

    read: Json = json.loads(json.dumps(asyncio.run(look())))
    return read


def answer(overview: Json, title: str) -> Json:
    """A panel's first frame."""
    (number,) = [panel["id"] for panel in overview["dashboard"]["panels"] if panel["title"] == title]
    frame: Json = overview["answers"][str(number)]["frames"][0]
    return frame


def test_every_panel_has_its_answer(overview: Json) -> None:
    assert overview["answers"].keys() == {str(panel["id"]) for panel in BOARD["panels"]}
    assert all(each["frames"][0]["data"]["values"][0] for each in overview["answers"].values())
    assert answer(overview, "Active alarms")["data"]["values"] == [[3]]
    names = [field["name"] for field in answer(overview, "Water against the crown")["schema"]["fields"]]
    assert names[0] == "Time"
    assert set(names[1:]) == {"Dead Run", "Mill (drain-3)", "Mill (drain-4)"}


def test_what_is_chosen_and_marked_is_told(overview: Json) -> None:
    chosen = {each["name"]: each["value"] for each in overview["variables"]}
    assert chosen["zone"] == ["north", "south", "-"]
    assert overview["range"]["to_ms"] == town.NOW_US // 1000
    assert [each["name"] for each in overview["marks"]] == ["Alarms", "Commands", "Warnings"]
    assert all(each["frames"][0]["data"]["values"][0] for each in overview["marks"])


async def test_the_preview_asks_as_the_reader(native_town: str) -> None:
    async with await connect(native_town, application="test") as connection:
        async with reader.reading(connection) as ask:
            for sql in ("DELETE FROM alarm", "SELECT * FROM api_token"):
                with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)):
                    await ask(sql)
        assert await (await connection.execute("SELECT count(*) >= 0 FROM api_token")).fetchone() == (True,)


async def panel_words(page: Page, title: str) -> str:
    return await page.locator(f'[data-panel="{title}"]').inner_text()


@pytest.mark.skipif(not CHROMIUM, reason="needs Chromium")
@pytest.mark.skipif(not bundle.is_made(), reason="`lamplighter dashboards preview` has not been used here yet")
async def test_grafanas_library_draws_the_answers(overview: Json, tmp_path: Path) -> None:
    (file,) = pages.write(tmp_path, bundle.place(), {"overview": overview})
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = await browser.new_page(viewport={"width": 1600, "height": 1900})
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        await page.goto(file.as_uri())
        await page.locator('[data-panel="Alarms"] [role=row]').nth(1).wait_for()
        assert await page.locator('[data-empty="true"]').count() == 0
        assert "90%" in (await panel_words(page, "Online")).replace("\n", "")
        alarms = await panel_words(page, "Alarms")
        assert "drain overflow" in alarms
        assert "drain-1" not in alarms, "what only links read is hidden"
        link = page.get_by_role("link", name="drain overflow")
        assert await link.get_attribute("href") == "http://127.0.0.1:8080/ops/alarms/a1"
        assert "Mill (drain-3)" in await panel_words(page, "Water against the crown")
        assert await page.locator('[data-panel="Water against the crown"] canvas').count() == 1
        assert "drawn by the preview" in await panel_words(page, "Map")
        await browser.close()
    assert faults == []
