"""The pages that people read, and what stands in them: fences, links, headings, words set as code.

How a fence is marked, after its language:

* `sh`: its commands are run by `test_commands.py`, in the order of the page, in one shell and one folder.
* `sh not-run: REASON`: they cannot be run here, for the reason that is given; only their words are checked.
* `sh exit: 1`: the last command ends with this code.
* `text` right below an `sh` fence: what its commands print. `…` stands for anything, within a line or for lines.
* `toml file: rules.toml`: the page has its reader write this file; so does the test.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
SHELLS = ("sh", "bash", "console")
_GITHUB_DROPS = re.compile(r"[^\w\- ]", re.UNICODE)


@dataclass(frozen=True)
class Fence:
    """A fenced block: its language, what is marked after it, its text and the line where it begins."""

    language: str
    mark: str
    text: str
    line: int

    @property
    def is_shell(self) -> bool:
        """Whether it holds commands."""
        return self.language in SHELLS

    @property
    def why_not_run(self) -> str | None:
        """The reason that its commands are not run for; `None` where they are."""
        return self._marked("not-run")

    @property
    def file(self) -> str | None:
        """The file that the reader is to write; `None` where it is none."""
        return self._marked("file")

    @property
    def exit_code(self) -> int:
        """What the last command is to end with."""
        return int(self._marked("exit") or 0)

    def _marked(self, name: str) -> str | None:
        key, _, value = self.mark.partition(":")
        return value.strip() if key == name else None


@dataclass(frozen=True)
class Page:
    """One Markdown file."""

    path: Path

    def __str__(self) -> str:
        return str(self.path.relative_to(ROOT))

    @cached_property
    def tokens(self) -> list[Token]:
        """The whole page as markdown-it reads it."""
        return MarkdownIt("commonmark").enable("table").parse(self.path.read_text())

    @property
    def fences(self) -> list[Fence]:
        """All fenced and indented blocks, from the top."""
        blocks = []
        for token in self.tokens:
            if token.type in ("fence", "code_block"):
                language, _, mark = token.info.partition(" ")
                blocks.append(Fence(language, mark.strip(), token.content, (token.map or [0])[0] + 1))
        return blocks

    @property
    def links(self) -> Iterator[str]:
        """Where the page's links and pictures lead."""
        for token in self._inline():
            if token.type in ("link_open", "image"):
                yield str(token.attrs["href" if token.type == "link_open" else "src"])

    @property
    def words_as_code(self) -> Iterator[str]:
        """What stands between backticks."""
        return (token.content for token in self._inline() if token.type == "code_inline")

    @property
    def anchors(self) -> set[str]:
        """The names that links can give to headings, as code forges and MyST make them."""
        found: list[str] = []
        for heading, inline in zip(self.tokens, self.tokens[1:], strict=False):
            if heading.type == "heading_open":
                words = "".join(child.content for child in inline.children or ())
                name = _GITHUB_DROPS.sub("", words.lower().strip()).replace(" ", "-")
                found.append(f"{name}-{found.count(name)}" if name in found else name)
        return set(found)

    def _inline(self) -> Iterator[Token]:
        for token in self.tokens:
            yield from token.children or ()


DOCS = [Page(path) for path in sorted((ROOT / "docs").rglob("*.md"))]
BESIDE = [Page(path) for name in ("deploy", "dashboards") for path in sorted((ROOT / name).rglob("*.md"))]
README = Page(ROOT / "README.md")
PAGES = [README, *DOCS, *BESIDE]
