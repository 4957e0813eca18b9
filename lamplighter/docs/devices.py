"""`docs/devices.md`, written from the codecs themselves."""

from gateway.codecs.catalogue import catalogue
from gateway.codecs.codec import Codec
from telemetry.kinds import KINDS

_HEAD = """\
# Supported devices

A model is what `lamplighter decode MODEL` and the registry call it. Fields are those of its kind that the device
reports; everything else that it says is kept beside them. A device that is not listed can be served by its maker's own
[JavaScript codec](makers_codecs.md).

This page is written from the code by `make docs`, and a test compares them.
"""


def page() -> str:
    """The whole page as Markdown: one table a kind, and one of the formats that serve any kind."""
    codecs = {id(codec): codec for codec in catalogue().values()}.values()
    kinds = [(name, f"\n## `{name}`\n\n{kind.words}\n") for name, kind in KINDS.items()]
    parts = [
        *kinds,
        (None, "\n## Any kind\n\nFormats that many makers use: what a device measures decides its kind.\n"),
    ]
    tables = ((title, [codec for codec in codecs if codec.kind == kind]) for kind, title in parts)
    return _HEAD + "".join(f"{title}\n{_table(several)}" for title, several in tables if several)


def _table(codecs: list[Codec]) -> str:
    head = "| model | maker and product | fields | downlinks |\n|---|---|---|---|\n"
    return head + "".join(
        f"| {_words(codec.models)} | {codec.words} | {_words(codec.fields)} | {_words(codec.downlinks) or 'none'} |\n"
        for codec in codecs
    )


def _words(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)
