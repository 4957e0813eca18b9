"""Lines of keys in TOML documents."""

import tomllib
from collections.abc import Iterator
from typing import Any

from rules.rulefile.lines import Place, lines_of

DOCUMENT = '''a = 1 # no x = [
"b.c" = "x#\\"y"  # "
'q' = 'C:\\'
d.e = [1,
  {f = 2, "g" = [ 3 ]}, # not c ]
  """
x""""",
]
[[h]]
i = 1979-05-27 07:32:00
[h.j]
k = 2
[[h]]
 [ h . "j" ]
k = 3 # end
[[h.l]]
m=true
[empty]'''


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    """Every place of a parsed document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*place, key)
        yield from places(each, (*place, key))


def test_every_place_has_its_line() -> None:
    for document in (DOCUMENT, DOCUMENT.replace("\n", "\r\n") + "\r\n"):
        lines = lines_of(document)
        assert set(lines) == set(places(tomllib.loads(document)))
        wanted: dict[Place, int] = {
            ("a",): 1,
            ("b.c",): 2,
            ("q",): 3,
            ("d", "e", 1, "g", 0): 5,
            ("d", "e", 2): 6,
            ("h", 0, "i"): 10,
            ("h", 0, "j"): 11,
            ("h", 1): 13,
            ("h", 1, "j", "k"): 15,
            ("h", 1, "l", 0, "m"): 17,
            ("empty",): 18,
        }
        assert {place: lines[place] for place in wanted} == wanted
