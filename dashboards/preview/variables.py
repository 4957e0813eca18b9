"""What is chosen in a dashboard's variables: what is named, else everything where that may be, else the first."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dashboards.expand import View, expand
from storage.reader import Answer

Json = dict[str, Any]
Ask = Callable[[str], Awaitable[Answer]]
Named = Mapping[str, Sequence[str]]
"""What is to be chosen: values by the name of their variable."""

_HIDDEN = 2
"""Grafana's number for a variable that is not shown."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A variable with its value: one, or several where that may be. The page reads all of it, people read `text`."""

    name: str
    label: str
    text: str
    value: str | list[str]
    hidden: bool


async def choose(dashboard: Json, ask: Ask, view: View, named: Named) -> list[Chosen]:
    """What is chosen of each variable, in the dashboard's order; values that it has not are passed over."""
    chosen: list[Chosen] = []
    for variable in dashboard["templating"]["list"]:
        known = replace(view, variables={each.name: each.value for each in chosen})
        choices = await _choices(variable, ask, known)
        text, value = _choice(variable, choices, named.get(variable["name"], ()))
        is_hidden = variable.get("hide") == _HIDDEN
        chosen.append(Chosen(variable["name"], variable.get("label") or variable["name"], text, value, is_hidden))
    return chosen


async def _choices(variable: Json, ask: Ask, view: View) -> Sequence[tuple[str, str]]:
    """Value and text of all that can be chosen."""
    if variable["type"] == "query":
        answer = await ask(expand(variable["query"], view))
        return [(str(value), str(text)) for value, text in answer.rows]
    return [(each["value"], each["text"]) for each in variable["options"]]


def _choice(variable: Json, choices: Sequence[tuple[str, str]], named: Sequence[str]) -> tuple[str, str | list[str]]:
    picked = [each for each in choices if each[0] in named]
    if variable.get("multi"):
        text = " + ".join(text for _, text in picked) or "All"
        return text, [value for value, _ in picked or choices]
    value, text = (picked or choices)[0]
    return text, value
