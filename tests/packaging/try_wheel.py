"""`python -m tests.packaging.try_wheel`: the wheel in an empty environment as an ordinary user, up to the page.

It fetches the dependencies from the package index, so it is no part of `make test`. Root becomes the user `nobody`;
`--python` names a Python that this user may execute.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.packaging.test_distributions import ROOT, build

READY_S_MAX = 60
USER = "nobody"


def main() -> int:
    """Install, run, fetch the page, say how long each took; 1 if the demo was not ready in time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="which Python makes the environment")
    python = parser.parse_args().python
    home = Path(tempfile.mkdtemp(prefix="lamplighter-wheel-"))
    try:
        wheel = build(ROOT, home / "dist")[".whl"]
        ordinary: dict[str, Any] = {"cwd": home, "env": {"PATH": os.defpath, "HOME": str(home)}}
        if os.geteuid() == 0:
            shutil.chown(home, USER)
            ordinary |= {"user": USER, "group": "nogroup", "extra_groups": []}
        began_s = time.monotonic()
        subprocess.run([python, "-m", "venv", "city"], check=True, **ordinary)
        subprocess.run(["city/bin/pip", "install", "--quiet", wheel], check=True, **ordinary)
        print(f"installed in {time.monotonic() - began_s:.0f} s")
        return _run_demo(home / "city/bin/lamplighter", ordinary)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _run_demo(program: Path, ordinary: dict[str, Any]) -> int:
    began_s = time.monotonic()
    command = [program, "demo", "--json", "--http-port", "0", "--mqtt-port", "0"]
    demo = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **ordinary)
    try:
        assert demo.stdout
        ready = json.loads(demo.stdout.readline())
        ready_s = time.monotonic() - began_s
        with urlopen(ready["http"], timeout=10) as page:
            size = len(page.read())
        owner = Path(f"/proc/{demo.pid}").owner()
        print(f"ready in {ready_s:.1f} s as {owner}; the page, {size} bytes, after {time.monotonic() - began_s:.1f} s")
    finally:
        demo.send_signal(signal.SIGINT)
        demo.wait(60)
    return int(ready_s > READY_S_MAX)


if __name__ == "__main__":
    sys.exit(main())
