"""The documentation as a site: `make site` builds these pages with Sphinx into build/site, warnings being errors.

Pages are Markdown as code forges show it too. A link to a file outside of this folder becomes a copy to download.
"""

import re
from importlib.metadata import version as version_of

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

project = "Lamplighter"
copyright = "the authors of Lamplighter, Apache-2.0"
version = release = version_of("lamplighter")

extensions = ["myst_parser"]
root_doc = "index"
nitpicky = True
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"Lamplighter {release}"
html_favicon = "../api/page/icon.svg"
html_copy_source = False
html_show_sourcelink = False

_PAGE_ELSEWHERE = re.compile(
    r"\[([^\]]+)\]\(((?:\.\./)+(?:README|CHANGELOG|deploy|dashboards|tests|bench)[^)#]*\.md)(?:#[^)]*)?\)"
)


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.add_lexer("csv", TextLexer)
    app.connect("source-read", _offer_pages_elsewhere)


def _offer_pages_elsewhere(app: Sphinx, name: str, source: list[str]) -> None:
    """MyST takes every link to a `.md` file for one to a page of the site; those that are none are offered as files."""
    source[0] = _PAGE_ELSEWHERE.sub(lambda link: f"{{download}}`{link[1].replace('`', '')} <{link[2]}>`", source[0])
