"""Make the pictures of the residents' page: `python docs/take_screenshots.py [--url http://127.0.0.1:8080]`.

Without a URL it runs a demo of its own, from a moment when the town wakes up until every zone has a forecast, which
takes some minutes. Needs Chromium and the development dependencies.
"""

import argparse
import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

PICTURES = Path(__file__).parent / "pictures"
DEMO = ("--start", "2026-11-23T08:00:00Z", "--speed", "60", "--http-port", "0", "--mqtt-port", "0", "--json")
CITY = "Musterstadt"
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run")
FLAGS += ("--disable-background-networking", "--disable-component-update", "--disable-sync")
SETTLE_S = 400
"""So long at most until every zone has a forecast: it needs two hours of the town's day."""
DESKTOP = {"viewport": {"width": 1200, "height": 880}, "locale": "en-GB", "color_scheme": "light"}
PHONE = {"viewport": {"width": 390, "height": 844}, "locale": "de-DE", "color_scheme": "dark"}
TWO_PHONES = """<body style="margin:0;width:900px;height:940px;display:flex;gap:40px;justify-content:center;
align-items:center;background:#c9d6de"><style>img{{width:390px;border-radius:26px;border:8px solid #13202a}}</style>
<img src="{light}"><img src="{dark}"></body>"""
FRAME = """<body style="margin:0;width:1600px;height:960px;position:relative;background:#c9d6de">
<img src="{desktop}" style="position:absolute;left:40px;top:40px;width:1200px;border-radius:10px;
box-shadow:0 12px 40px #13202a40"><img src="{phone}" style="position:absolute;right:36px;top:140px;width:350px;
border-radius:26px;border:8px solid #13202a;box-shadow:0 12px 40px #13202a66"></body>"""


@contextlib.contextmanager
def running_demo() -> Iterator[str]:
    """The URL of a demo that ends with the block."""
    with tempfile.TemporaryDirectory() as data:
        command = [sys.executable, "-m", "lamplighter", "demo", *DEMO, "--data", data]
        named = {**os.environ, "LAMPLIGHTER_CITY_NAME": CITY}
        process = subprocess.Popen(command, env=named, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            assert process.stdout
            url = json.loads(process.stdout.readline())["http"]
            until_foreseen(url)
            yield url
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def until_foreseen(url: str) -> None:
    """Wait until every zone has a forecast."""
    for _ in range(SETTLE_S):
        with urllib.request.urlopen(f"{url}/public/v1/parking", timeout=10) as answer:
            zones = json.load(answer)["zones"]
        if zones and all(zone["forecast"] for zone in zones):
            return
        time.sleep(1)
    raise SystemExit(f"After {SETTLE_S} s there are still zones without a forecast.")


def picture(browser: Browser, url: str, at: str = "body", **context: Any) -> bytes:
    """What somebody sees who opens the page so and goes to the element `at`."""
    opened = browser.new_context(device_scale_factor=2, **context)
    page = opened.new_page()
    page.goto(url)
    page.wait_for_selector(".zone")
    page.wait_for_timeout(600)
    page.locator(at).evaluate("element => element.scrollIntoView()")
    page.wait_for_timeout(1_500)
    taken = page.screenshot()
    opened.close()
    return taken


def compose(browser: Browser, frame: str, width: int, height: int, **pictures: bytes) -> bytes:
    """Pictures on one ground."""
    page = browser.new_page(viewport={"width": width, "height": height})
    sources = {name: f"data:image/png;base64,{base64.b64encode(each).decode()}" for name, each in pictures.items()}
    page.set_content(frame.format(**sources))
    page.wait_for_timeout(300)
    return page.screenshot()


def main() -> None:
    """Take the pictures and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="of a running demo; without it one is started")
    parser.add_argument("--out", type=Path, default=PICTURES, help="the folder that they are written to")
    arguments = parser.parse_args()
    demo = contextlib.nullcontext(arguments.url) if arguments.url else running_demo()
    with demo as url, sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        desktop, phone = picture(browser, url, **DESKTOP), picture(browser, url, **PHONE)
        light, dark = (picture(browser, url, ".plan", **{**PHONE, "color_scheme": each}) for each in ("light", "dark"))
        arguments.out.mkdir(parents=True, exist_ok=True)
        page = compose(browser, FRAME, 1600, 960, desktop=desktop, phone=phone)
        plan = compose(browser, TWO_PHONES, 900, 940, light=light, dark=dark)
        for name, taken in (("residents.png", page), ("residents_map.png", plan)):
            (arguments.out / name).write_bytes(taken)
        browser.close()


if __name__ == "__main__":
    main()
