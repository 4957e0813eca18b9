"""A small Grafana for tests: folders and dashboards in memory, bodies judged by Grafana's published API schema."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from jsonschema import Draft4Validator

from tests.parts.recordings import SHARED

SCHEMA = SHARED / "data" / "grafana" / "api-merged.json"
TOKEN = "glsa_of_the_tests"

Json = dict[str, Any]


class Town:
    """What this Grafana holds and was asked; `refusal` is answered to everything, `(status, body, type)`."""

    def __init__(self) -> None:
        self.url = ""
        self.folders: dict[str, Json] = {}
        self.dashboards: dict[str, Json] = {}
        self.writes: list[str] = []
        self.violations: list[str] = []
        self.refusal: tuple[int, str, str] | None = None
        self._definitions: Json = json.loads(SCHEMA.read_text())["definitions"]

    def judge(self, definition: str, body: Json) -> None:
        """Keep what is wrong with a body by the published schema; a member that it does not know is wrong too."""
        schema = {"$ref": f"#/definitions/{definition}", "definitions": self._definitions}
        self.violations += [error.message for error in Draft4Validator(schema).iter_errors(body)]
        self.violations += [f"unknown {name}" for name in body.keys() - self._definitions[definition]["properties"]]

    def save(self, command: Json) -> tuple[int, Json]:
        """`POST /dashboards/db`."""
        self.judge("SaveDashboardCommand", command)
        uid = command["dashboard"]["uid"]
        if command["folderUid"] not in self.folders:
            return 400, {"message": "folder not found"}
        kept = self.dashboards.setdefault(uid, {"version": 0})
        kept |= {"body": command["dashboard"], "folder": command["folderUid"], "version": kept["version"] + 1}
        self.writes.append(f"save {uid}")
        return 200, {"uid": uid, "status": "success", "version": kept["version"]}

    def show(self, uid: str) -> tuple[int, Json]:
        """`GET /dashboards/uid/…`, with the members that Grafana counts itself, and one that it adds."""
        if uid not in self.dashboards:
            return 404, {"message": "Dashboard not found"}
        kept = self.dashboards[uid]
        body = kept["body"] | {"id": 7, "version": kept["version"], "fiscalYearStartMonth": 0, "addedByGrafana": True}
        return 200, {"dashboard": body, "meta": {"folderUid": kept["folder"]}}


class _Handler(BaseHTTPRequestHandler):
    town: ClassVar[Town]

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        last = address.path.rpartition("/")[2]
        if address.path.startswith("/sub/api/dashboards/uid/"):
            return self._answer(*self.town.show(last))
        if address.path.startswith("/sub/api/folders/"):
            known = self.town.folders.get(last)
            return self._answer(200, known) if known else self._answer(404, {"message": "folder not found"})
        chosen = parse_qs(address.query)
        assert chosen["type"] == ["dash-db"]
        hits = [
            {"uid": uid, "title": kept["body"]["title"]}
            for uid, kept in self.town.dashboards.items()
            if kept["folder"] in chosen["folderUIDs"]
        ]
        return self._answer(200, hits)

    def do_POST(self) -> None:
        body: Json = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/sub/api/folders":
            self.town.judge("CreateFolderCommand", body)
            self.town.folders[body["uid"]] = body
            self.town.writes.append(f"folder {body['uid']}")
            return self._answer(200, body)
        assert self.path == "/sub/api/dashboards/db"
        return self._answer(*self.town.save(body))

    def do_DELETE(self) -> None:
        uid = self.path.rpartition("/")[2]
        del self.town.dashboards[uid]
        self.town.writes.append(f"delete {uid}")
        self._answer(200, {"message": "deleted"})

    def _answer(self, status: int, body: Any) -> None:
        text, kind = json.dumps(body), "application/json"
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            status, text = 401, '{"message": "Unauthorized"}'
        elif self.town.refusal is not None:
            status, text, kind = self.town.refusal
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the tests' output is theirs."""


@contextmanager
def running() -> Iterator[Town]:
    """The small Grafana under the path `/sub` on a free port of this machine."""
    town = Town()
    handler = type("Handler", (_Handler,), {"town": town})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        town.url = f"http://127.0.0.1:{server.server_port}/sub"
        try:
            yield town
        finally:
            server.shutdown()
            thread.join()
