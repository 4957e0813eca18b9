"""What it costs to import a town: seconds and peak memory of `lamplighter registry import` and `lamplighter import`.

`python -m bench.registry` writes towns of growing size as CSV and as GeoJSON, and histories of growing length, and has
the command import each into a database of its own; `--town 1000 --history 10000` tries it small. The seconds are of the
whole command, from its start to its end. The memory is the command's own; the database's is its setting.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench.processes import ROOT, Failed
from lamplighter import logs
from lamplighter.embedded.accounts import data_folder
from lamplighter.embedded.postgres import RunningPostgres, embedded_postgres
from storage.migrate import migrate
from telemetry.clock import SECOND_US, to_rfc3339

TOWNS = (10_000, 100_000, 300_000)
HISTORIES = (100_000, 1_000_000)
PLACES = 1_000
"""So many street lights have a history; each reports every ten minutes."""
BEGIN_US = 1_735_689_600_000_000
HEADER = (
    "asset,kind,name,zone,lat,lon,device,model,"
    "lighting_class,min_level_pct,crown_m,ground_m,sensor_height_m,upstream,reserved_for"
)
_REAL_AND_DURABLE = {"synchronous_commit": "on"}


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of the command."""

    what: str
    rows: int
    file_mb: float
    took_s: float
    cpu_s: float
    peak_mib: float

    def __str__(self) -> str:
        seconds = f"{self.took_s:6.1f} s  {self.cpu_s:6.1f} s CPU  {self.rows / self.took_s:9,.0f}/s"
        return f"{self.what:<28}{self.rows:>10,} rows  {self.file_mb:6.1f} MB  {seconds}  {self.peak_mib:5.0f} MiB"


def town(rows: int) -> Iterator[str]:
    """The lines of a registry: half lamps, a quarter each drains and bays, in zones of a hundred."""
    for n in range(rows):
        place = f"zone-{n // 100},{51 + n % 997 * 1e-4:.5f},{7 + n % 991 * 1e-4:.5f},{0xA84041 << 40 | n:016x}"
        if n % 2:
            yield f"lamp-{n},streetlight,Hauptstraße {n},{place},nas/ul20xx-1.1,P4,30,,,,,"
        elif n % 4:
            upstream = f"shaft-{n - 4}" if n > 4 else ""
            yield f"shaft-{n},drain_level,Schacht {n},{place},decentlab/dl-mbx,,,0.8,2.4,3.1,{upstream},"
        else:
            yield f"bay-{n},parking_bay,Bucht {n},{place},bosch/tps110,,,,,,,{'disabled' if n % 40 == 0 else ''}"


def write_csv(file: Path, rows: int) -> None:
    with file.open("w", encoding="utf-8") as out:
        out.write(HEADER + "\n")
        out.writelines(f"{line}\n" for line in town(rows))


def write_geojson(file: Path, rows: int) -> None:
    names = HEADER.split(",")
    with file.open("w", encoding="utf-8") as out:
        out.write('{"type": "FeatureCollection", "features": [\n')
        for number, line in enumerate(town(rows)):
            said = {name: cell for name, cell in zip(names, line.split(","), strict=True) if cell}
            point = {"type": "Point", "coordinates": [float(said.pop("lon")), float(said.pop("lat"))]}
            feature = {"type": "Feature", "geometry": point, "properties": said}
            out.write((",\n" if number else "") + json.dumps(feature, ensure_ascii=False))
        out.write("\n]}\n")


def write_history(file: Path, rows: int) -> None:
    with file.open("w", encoding="utf-8") as out:
        out.write("device,ts,level_pct,power_w,energy_kwh,voltage_v,temp_c,lamp_fault\n")
        for n in range(rows):
            moment = to_rfc3339(BEGIN_US + n // PLACES * 600 * SECOND_US)
            out.write(f"d-{n % PLACES},{moment},{n % 101},{n % 90 + 0.5},{n // PLACES * 0.01:.2f},230.1,12.5,false\n")


@asynccontextmanager
async def _database(server: RunningPostgres, number: int) -> AsyncIterator[str]:
    """A migrated database, dropped at the end."""
    name = f"town_{number}"
    async with await psycopg.AsyncConnection.connect(server.url, autocommit=True) as conn:
        await conn.execute(f"CREATE DATABASE {name}")
        await migrate(server.url_of(name))
        try:
            yield server.url_of(name)
        finally:
            await conn.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _import(what: str, rows: int, url: str, folder: Path, *arguments: str) -> Measured:
    """Run the command on `arguments`, the last of which is its file, to its end."""
    file = Path(arguments[-1])
    command = [sys.executable, "-m", "lamplighter", *arguments]
    environment = {**os.environ, "LAMPLIGHTER_DATABASE_URL": url, "PYTHONPATH": str(ROOT)}
    began = time.monotonic()
    with (folder / "out").open("wb") as out:
        pid = os.posix_spawn(
            sys.executable,
            command,
            environment,
            file_actions=[(os.POSIX_SPAWN_DUP2, out.fileno(), 1), (os.POSIX_SPAWN_DUP2, out.fileno(), 2)],
        )
        _, status, usage = os.wait4(pid, 0)
    took_s = time.monotonic() - began
    if os.waitstatus_to_exitcode(status):
        raise Failed(f"{what} failed: {(folder / 'out').read_text()[-500:]}")
    cpu_s = usage.ru_utime + usage.ru_stime
    return Measured(what, rows, file.stat().st_size / 1e6, took_s, cpu_s, usage.ru_maxrss / 1024)


async def _race(towns: list[int], histories: list[int]) -> None:
    number = 0
    with tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as home:
        folder = data_folder(Path(home))
        async with embedded_postgres(data_folder(folder / "data"), settings=_REAL_AND_DURABLE) as server:
            for rows in towns:
                for name, write in (("city.csv", write_csv), ("city.geojson", write_geojson)):
                    file = folder / name
                    write(file, rows)
                    number += 1
                    async with _database(server, number) as url:
                        for what in (f"registry, {file.suffix[1:]}", "the same again, no change"):
                            one = _import(what, rows, url, folder, "registry", "import", str(file))
                            print(one, flush=True)
            for rows in histories:
                file = folder / "history.csv"
                write_history(file, rows)
                number += 1
                async with _database(server, number) as url:
                    lamps = folder / "lamps.csv"
                    lines = (f"lamp-{n},streetlight,d-{n}\n" for n in range(PLACES))
                    lamps.write_text("asset,kind,device\n" + "".join(lines))
                    _import("lamps", PLACES, url, folder, "registry", "import", str(lamps))
                    for what in ("history", "the same again, duplicates"):
                        print(_import(what, rows, url, folder, "import", str(file)), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.registry", description="Import towns and their histories.")
    parser.add_argument("--town", type=int, nargs="*", default=list(TOWNS), metavar="ROWS")
    parser.add_argument("--history", type=int, nargs="*", default=list(HISTORIES), metavar="ROWS")
    options = parser.parse_args()
    logs.configure("warning")
    try:
        asyncio.run(_race(options.town, options.history))
    except Failed as failed:
        print(failed, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
