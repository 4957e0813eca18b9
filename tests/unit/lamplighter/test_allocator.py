"""A process is not held as large as its busiest moment by what it allocated then and still needs."""

import subprocess
import sys

import pytest

BUSY_MOMENT = """
import sys
from pathlib import Path
from lamplighter.allocator import give_back_freed_memory

def resident_mib():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

if sys.argv[1] == "ours" and not give_back_freed_memory():
    sys.exit(3)
bytearray(4 << 20)  # glibc learns from a large piece that is freed
before_mib = resident_mib()
large, small = [], []
for number in range(60):
    large.append(bytearray(b"x") * (1 << 20))
    small.append(bytearray(1_000))
del large
print(resident_mib() - before_mib)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="what is tested is Linux's")
def test_what_was_large_is_given_back_though_something_small_lies_behind_it() -> None:
    def grown_mib(whose: str) -> float:
        command = [sys.executable, "-c", BUSY_MOMENT, whose]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode == 3:
            pytest.skip("the C library is not glibc")
        return float(ended.stdout)

    assert grown_mib("ours") < 5 < 40 < grown_mib("glibc's own")
