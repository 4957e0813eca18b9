"""`/ops/alarms/{id}`: the page behind a link from Grafana. It asks for the token, shows why, acknowledges, puts aside.

The page itself holds nothing of the alarm: a browser gets that with the operator's token, which stays in its tab.
"""

from html import escape
from importlib.resources import files
from string import Template

from fastapi import APIRouter
from starlette.responses import Response

from api.page import VERSION, html
from api.settings import ApiSettings
from telemetry.clock import Now


def alarm_page_router(settings: ApiSettings, now: Now, real_now: Now) -> APIRouter:
    """The page, the same for every alarm; it is told by how much the city's clock is ahead of the real one."""
    router = APIRouter(include_in_schema=False)
    template = Template((files("api.page") / "alarm.html").read_text(encoding="utf-8"))

    @router.get("/ops/alarms/{alarm}")
    async def alarm_page(alarm: str) -> Response:
        offset_ms = (now() - real_now()) // 1_000
        filled = template.substitute(version=VERSION, city=escape(settings.city_name), offset_ms=offset_ms)
        ready = html(filled, max_age_s=0)
        response = Response(ready.body)
        response.raw_headers = list(ready.headers)
        return response

    return router
