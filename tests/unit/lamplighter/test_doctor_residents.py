"""What doctor says of the links below the residents' page."""

from lamplighter.doctor import residents
from lamplighter.settings import Settings

LINKS = {"imprint_url": "https://w.example/i", "privacy_url": "https://w.example/d"}


def test_missing_links_are_named_with_their_settings() -> None:
    found = residents.examine(Settings.model_construct(**LINKS, accessibility_url=""))
    assert "the accessibility statement" in found.sentence
    assert "LAMPLIGHTER_ACCESSIBILITY_URL" in found.sentence
    assert "imprint" not in found.sentence


def test_a_page_with_all_links_is_fine() -> None:
    found = residents.examine(Settings.model_construct(**LINKS, accessibility_url="https://w.example/b"))
    assert found.weight == "ok"
