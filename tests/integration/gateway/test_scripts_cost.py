"""What a message costs the worker: CPU, not time, so that a busy machine does not matter much."""

import sys

import pytest

from bench.makers_codecs import WAYS, measured

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.mark.parametrize(("way", "a_second"), [("fresh", 500), ("reused", 5_000)])
async def test_a_codec_of_the_alliances_form_is_fast_enough(way: str, a_second: int) -> None:
    source, reuse, _ = WAYS[way]
    costs = [(await measured(source, reuse, a_second // 4))[1] for _ in range(3)]
    assert min(costs) < 1e6 / a_second
