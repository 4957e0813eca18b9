"""Make the README's picture of the residents' page: `python docs/take_screenshots.py [--url http://127.0.0.1:8080]`.

Without a URL it runs a demo of its own, at a moment when the town is awake. Needs Chromium and the development
dependencies.
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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

PICTURES = Path(__file__).parent / "pictures"
DEMO = ("--start", "2026-11-23T09:50:00Z", "--speed", "60", "--http-port", "0", "--mqtt-port", "0", "--json")
CITY = "Musterstadt"
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run")
FLAGS += ("--disable-background-networking", "--disable-component-update", "--disable-sync")
SETTLE_S = 25
"""Before the pictures are taken, so that every bay has spoken and the zones have a trend."""
DESKTOP = {"viewport": {"width": 1200, "height": 880}, "locale": "en-GB", "color_scheme": "light"}
PHONE = {"viewport": {"width": 390, "height": 844}, "locale": "de-DE", "color_scheme": "dark"}
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
            time.sleep(SETTLE_S)
            yield url
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def picture(browser: Browser, url: str, **context: Any) -> bytes:
    """What somebody sees who opens the page so."""
    opened = browser.new_context(device_scale_factor=2, **context)
    page = opened.new_page()
    page.goto(url)
    page.wait_for_selector(".zone")
    page.wait_for_timeout(600)
    taken = page.screenshot()
    opened.close()
    return taken


def compose(browser: Browser, desktop: bytes, phone: bytes) -> bytes:
    """Both pictures on one ground."""
    page = browser.new_page(viewport={"width": 1600, "height": 960})
    sources = [f"data:image/png;base64,{base64.b64encode(each).decode()}" for each in (desktop, phone)]
    page.set_content(FRAME.format(desktop=sources[0], phone=sources[1]))
    page.wait_for_timeout(300)
    return page.screenshot()


def main() -> None:
    """Take the picture and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="of a running demo; without it one is started")
    parser.add_argument("--out", type=Path, default=PICTURES / "residents.png")
    arguments = parser.parse_args()
    demo = contextlib.nullcontext(arguments.url) if arguments.url else running_demo()
    with demo as url, sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        desktop, phone = picture(browser, url, **DESKTOP), picture(browser, url, **PHONE)
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_bytes(compose(browser, desktop, phone))
        browser.close()


if __name__ == "__main__":
    main()
