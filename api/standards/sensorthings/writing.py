"""Entities and collections as SensorThings writes them, in JSON or as GeoJSON features."""

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from api.standards.sensorthings.budget import Budget, bad_query
from api.standards.sensorthings.entities import Entity
from api.standards.sensorthings.filtering import values
from api.standards.sensorthings.history import History, next_options
from api.standards.sensorthings.options import Options

EXPANDED_TOP = 1
"""Of a history that is expanded so many observations are shown where nothing else is asked: the newest."""
LINK_SUFFIX = "@iot.navigationLink"


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes for one request; `root` is the URL of the service without a slash at its end."""

    root: str
    budget: Budget

    def url(self, entity: Entity) -> str:
        """Where an entity is to be had."""
        return f"{self.root}/{entity.set}('{quote(entity.id, safe=':')}')"

    def entity(self, entity: Entity, options: Options) -> dict[str, Any]:
        """An entity with its links, those expanded that options name."""
        self.budget.spend()
        chosen = options.select
        written: dict[str, Any] = {}
        if chosen is None or chosen & {"id", "@iot.id"}:
            written["@iot.id"] = entity.id
        if chosen is None or "@iot.selfLink" in chosen:
            written["@iot.selfLink"] = self.url(entity)
        written |= {name: value for name, value in entity.body.items() if chosen is None or name in chosen}
        for name, follow in entity.links.items():
            if name in options.expand:
                written |= self._expanded(name, follow(), options.expand[name], f"{self.url(entity)}/{name}")
            elif chosen is None or name in chosen:
                written[name + LINK_SUFFIX] = f"{self.url(entity)}/{name}"
        return written

    def collection(self, found: Iterable[Entity], options: Options, url: str) -> dict[str, Any]:
        """A page of a collection that lies at a URL, with where the next begins."""
        page, count, more = self.page(found, options)
        written: dict[str, Any] = {}
        if count is not None:
            written["@iot.count"] = count
        if more:
            written["@iot.nextLink"] = self.next_link(found, page, options, url)
        return written | {"value": [self.entity(each, options) for each in page]}

    def page(self, found: Iterable[Entity], options: Options) -> tuple[list[Entity], int | None, bool]:
        """The entities of a page, how many there are where that was asked, and whether there are more."""
        if isinstance(found, History):
            return found.page(options, self.budget)
        if options.after is not None:
            raise bad_query("$skipFilter is for the Observations of a Datastream.")
        kept: Iterable[Entity] = self._kept(found, options)
        for path, down in reversed(options.order):
            kept = sorted(kept, key=lambda each: _rank(values(each, path, self.budget)[0]), reverse=down)
        count = None
        if options.count:
            kept = list(kept)
            count = len(kept)
        end = options.skip + options.top
        page = list(itertools.islice(kept, options.skip, end + 1))
        return page[: options.top], count, len(page) > options.top > 0

    @staticmethod
    def next_link(found: Iterable[Entity], page: Sequence[Entity], options: Options, url: str, **other: str) -> str:
        """Where the page after that of options is."""
        given: dict[str, str | None] = {**options.given, **other}
        if isinstance(found, History):
            given |= next_options(options, page[-1])
        else:
            given |= {"$top": str(options.top), "$skip": str(options.skip + options.top)}
        there = {name: value for name, value in given.items() if value is not None}
        return f"{url}?{urlencode(there, safe='$(),/:;', quote_via=quote)}"

    def feature(self, entity: Entity, options: Options) -> dict[str, Any]:
        """An entity as a GeoJSON feature, its properties in one level."""
        plain = {
            name: value
            for name, value in _flat(self.entity(entity, options), "")
            if not name.endswith((LINK_SUFFIX, "@iot.selfLink", "@iot.nextLink", "@iot.count"))
            and not name.startswith(("location/", "feature/", "observedArea/"))
        }
        plain.pop("@iot.id", None)
        return {"type": "Feature", "id": entity.id, "geometry": entity.geometry, "properties": plain}

    def _expanded(self, name: str, linked: Any, options: Options, url: str) -> dict[str, Any]:
        if linked is None or isinstance(linked, Entity):
            return {name: self.entity(linked, options) if linked else None}
        if isinstance(linked, History) and "$top" not in options.given:
            options = replace(options, top=EXPANDED_TOP)
        page = self.collection(linked, options, url)
        return {name: page.pop("value")} | {f"{name}{key}": value for key, value in page.items()}

    def _kept(self, found: Iterable[Entity], options: Options) -> Iterator[Entity]:
        for each in found:
            self.budget.spend()
            if options.condition is None or options.condition(each, self.budget):
                yield each


def _rank(value: Any) -> tuple[int, Any]:
    """A key by which values of any sort can be put in order: nothing first, then numbers, then text."""
    if isinstance(value, (bool, int, float)):
        return (1, value)
    if isinstance(value, (str, dt.datetime)):
        return (2, str(value))
    return (0, 0)


def _flat(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    parts: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list):
        parts = enumerate(value)
    else:
        yield name, value
    for key, part in parts:
        yield from _flat(part, f"{name}/{key}" if name else str(key))
