"""Puts the dashboards into a running Grafana through its HTTP API: says first what differs, then saves and deletes."""

import difflib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from grafana_client.api import GrafanaApi
from grafana_client.client import GrafanaClientError, GrafanaException, GrafanaUnauthorizedError
from niquests.exceptions import JSONDecodeError, RequestException

from dashboards.places import PREFIX

FOLDER_UID = "lamplighter"
FOLDER_TITLE = "Lamplighter"
TIMEOUT_S = 20.0
OF_GRAFANA = ("id", "version")
"""What Grafana itself counts in a dashboard."""
PAGE = 5_000
"""The most dashboards that Grafana names at once."""

Json = dict[str, Any]


class PushError(Exception):
    """Grafana did not do what was asked; the message is one sentence that names the mend and never the token."""


class What(StrEnum):
    """What a push does with one dashboard."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Change:
    """What a push does with the dashboard `uid`; `lines` are the difference, of changed ones only."""

    what: What
    uid: str
    title: str
    lines: tuple[str, ...] = ()


class Grafana:
    """One Grafana, and the folder in it that the dashboards live in. `token` is a service account's, of an Editor."""

    def __init__(self, url: str, token: str | None, folder_uid: str = FOLDER_UID) -> None:
        parts = urlsplit(url)
        self._shown = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=""))
        path = f"{parts.path.rstrip('/')}/" if parts.path.strip("/") else ""
        self._api = GrafanaApi.from_url(urlunsplit(parts._replace(path=path)), credential=token, timeout=TIMEOUT_S)
        self._folder_uid = folder_uid

    def plan(self, documents: Mapping[str, str]) -> list[Change]:
        """What a push of these dashboards (JSON by file name) would do; changes nothing. Raises `PushError`."""
        ours: dict[str, Json] = {each["uid"]: each for each in map(json.loads, documents.values())}
        changes = [self._change(each) for each in ours.values()]
        return changes + [
            Change(What.DELETED, hit["uid"], hit["title"])
            for hit in self._there()
            if hit["uid"].startswith(PREFIX) and hit["uid"] not in ours
        ]

    def carry_out(self, changes: list[Change], documents: Mapping[str, str]) -> None:
        """Make the folder where it is missing, save what is new or changed and delete what is ours no more.

        Raises:
            PushError: Grafana refused; what came before it in `changes` is done.
        """
        ours: dict[str, Json] = {each["uid"]: each for each in map(json.loads, documents.values())}
        if any(change.what in (What.NEW, What.CHANGED) for change in changes) and self._folder() is None:
            self._ask(lambda: self._api.folder.create_folder(FOLDER_TITLE, uid=self._folder_uid))
        for change in changes:
            self._carry_out(change, ours.get(change.uid, {}))

    def _carry_out(self, change: Change, dashboard: Json) -> None:
        if change.what is What.DELETED:
            self._ask(lambda: self._api.dashboard.delete_dashboard(change.uid))
        elif change.what is not What.UNCHANGED:
            command = {
                "dashboard": dashboard | {"id": None},
                "folderUid": self._folder_uid,
                "overwrite": True,
                "message": "lamplighter dashboards push",
            }
            self._ask(lambda: self._api.dashboard.update_dashboard(command))

    def _change(self, ours: Json) -> Change:
        uid, title = ours["uid"], ours["title"]
        found = self._ask(lambda: self._api.dashboard.get_dashboard(uid), missing={})
        if not found:
            return Change(What.NEW, uid, title)
        theirs = {key: value for key, value in found.get("dashboard", {}).items() if key not in OF_GRAFANA}
        seen = _as_ours(ours, theirs)
        is_elsewhere = found.get("meta", {}).get("folderUid", self._folder_uid) != self._folder_uid
        if seen == ours and not is_elsewhere:
            return Change(What.UNCHANGED, uid, title)
        return Change(What.CHANGED, uid, title, tuple(_difference(seen, ours)))

    def _there(self) -> list[Json]:
        if self._folder() is None:
            return []
        search = self._api.search.search_dashboards
        found = self._ask(lambda: search(type_="dash-db", folder_uids=[self._folder_uid], limit=PAGE))
        if not isinstance(found, list):
            raise PushError(self._no_grafana())
        return found

    def _folder(self) -> Json | None:
        return self._ask(lambda: self._api.folder.get_folder(self._folder_uid), missing={}) or None

    def _ask(self, question: Callable[[], Any], missing: Any = None) -> Any:
        """The answer; `missing`, where it is given, if Grafana has no such thing."""
        try:
            answer = question()
        except GrafanaUnauthorizedError as error:
            raise PushError(f"Grafana at {self._shown} does not accept the token: make a new one.") from error
        except GrafanaClientError as error:
            if error.status_code == 404 and missing is not None:
                return missing
            if error.status_code == 403:
                raise PushError(
                    "The token may not do this: give its service account the role Editor in Grafana."
                ) from error
            raise PushError(f"Grafana refused: {_one_line(error)}.") from error
        except JSONDecodeError as error:
            raise PushError(self._no_grafana()) from error
        except (GrafanaException, RequestException) as error:
            raise PushError(f"Grafana at {self._shown} cannot be reached or fails: {_one_line(error)}.") from error
        if isinstance(answer, str):
            raise PushError(self._no_grafana())
        return answer

    def _no_grafana(self) -> str:
        return f"What answers at {self._shown} is no Grafana: name its address, with its path if it has one."


def _as_ours(ours: Any, theirs: Any) -> Any:
    """Theirs without what Grafana has added to objects of ours."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return {key: _as_ours(ours[key], theirs[key]) for key in ours if key in theirs}
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [_as_ours(mine, its) for mine, its in zip(ours, theirs, strict=True)]
    return theirs


def _difference(before: Json, after: Json) -> Iterator[str]:
    old, new = (json.dumps(each, indent=2, ensure_ascii=False).splitlines() for each in (before, after))
    return difflib.unified_diff(old, new, "in Grafana", "to be", lineterm="", n=1)


def _one_line(error: Exception) -> str:
    told = error.message if isinstance(error, GrafanaException) else str(error)
    return " ".join(str(told).split())[:300].rstrip(".")
