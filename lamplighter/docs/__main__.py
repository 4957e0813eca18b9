"""`make docs`: write the pages that are written from the code."""

import asyncio
from pathlib import Path

from lamplighter.docs import contract, devices, figures, http, metrics, settings, tables

FOLDER = Path("docs")
PAGES = {
    "contract": contract.page,
    "devices": devices.page,
    "figures": figures.page,
    "http": http.page,
    "metrics": metrics.page,
    "settings": settings.page,
}
"""Those that are told by the code alone, by their names; `tables` asks a database."""


def main() -> None:
    """Write all pages into `docs/` of the current folder."""
    pages = {name: page() for name, page in PAGES.items()}
    pages["tables"] = asyncio.run(tables.page_of_a_new_database())
    for name, text in pages.items():
        (FOLDER / f"{name}.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
