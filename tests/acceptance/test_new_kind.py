"""A fourth kind of sensor is one file and the migration that is drafted from it; it flows from MQTT to the API."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.acceptance.city import ROOT, demo, eventually

AIR_QUALITY = '''"""Air quality: a station on a mast reports fine dust and nitrogen dioxide."""

from typing import Annotated, ClassVar

from telemetry.kind import Measure, Observation


class AirQuality(Observation):
    """What an air quality station reports."""

    name: ClassVar[str] = "air_quality"
    marked: ClassVar[tuple[str, ...]] = ("pm2_5_ug_m3",)
    report_every_s: ClassVar[int] = 600

    pm2_5_ug_m3: Annotated[float | None, Measure("µg/m³", 0, 1_000, "fine dust below 2.5 µm")] = None
    no2_ug_m3: Annotated[float | None, Measure("µg/m³", 0, 2_000, "nitrogen dioxide")] = None
    humid: Annotated[bool | None, Measure("bool", words="condensation in the inlet")] = None
'''
REGISTRY = """asset,kind,name,zone,lat,lon,device,report_every_s
market,zone,Marktplatz,,51.436,7.335,,
air-market,air_quality,Air at the market,market,51.436,7.335,air-1,600
"""


def run(cwd: Path, *arguments: str, **environment: str) -> None:
    command = [sys.executable, "-m", "lamplighter", *arguments]
    env = {**os.environ, "PYTHONPATH": str(cwd), **environment}
    done = subprocess.run(command, cwd=cwd, env=env, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_air_quality_in_one_file(tmp_path: Path) -> None:
    house = tmp_path / "house"
    ignored = shutil.ignore_patterns(".*", "data", "tests", "node_modules", "__pycache__", "build")
    shutil.copytree(ROOT, house, ignore=ignored)
    (house / "telemetry/kinds/air_quality.py").write_text(AIR_QUALITY)
    run(house, "migrate", "--draft")
    (tmp_path / "air.csv").write_text(REGISTRY)

    with demo(tmp_path / "data", "--devices", "20", cwd=house) as city:
        run(house, "registry", "import", str(tmp_path / "air.csv"), LAMPLIGHTER_DATABASE_URL=city.ready["database"])
        reading = {"ts": "2026-11-01T12:00:00Z", "pm2_5_ug_m3": 11.5, "no2_ug_m3": 32, "humid": False}

        def stored() -> object:
            city.publish("city/v1/air_quality/air-1/telemetry", json.dumps(reading).encode())
            return city.get("/ops/v1/assets/air-market/observations", **{"from": reading["ts"]})["items"]

        (row,) = eventually(stored, seconds=20, every=1)
        assert {name: row[name] for name in reading if name != "ts"} == {
            name: value for name, value in reading.items() if name != "ts"
        }
        assert city.get("/ops/v1/assets/air-market")["latest"]["pm2_5_ug_m3"] == 11.5
        assert [asset["asset"] for asset in city.every("/ops/v1/assets", kind="air_quality")] == ["air-market"]
