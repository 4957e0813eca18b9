"""The list of supported devices is what the codecs say."""

from pathlib import Path

from gateway.codecs.catalogue import catalogue
from lamplighter.devices_page import page


def test_the_committed_page_is_what_the_codecs_say() -> None:
    committed = Path(__file__).parents[3] / "docs" / "devices.md"
    assert committed.read_text() == page(), "run `make docs`"


def test_every_model_is_on_it() -> None:
    assert all(f"`{model}`" in page() for model in catalogue())
