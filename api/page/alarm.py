"""`/ops/alarms/{id}`: the page behind a link from Grafana. It asks for the token, shows why, acknowledges, puts aside.

The page itself holds nothing of the alarm: a browser gets that with the operator's token, which stays in its tab.
"""

from html import escape
from importlib.resources import files
from string import Template

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.page import VERSION, html
from api.public import answer
from api.settings import ApiSettings


def alarm_page_router(settings: ApiSettings) -> APIRouter:
    """The page, the same for every alarm."""
    router = APIRouter(include_in_schema=False)
    template = Template((files("api.page") / "alarm.html").read_text(encoding="utf-8"))
    given = {"version": VERSION, "city": escape(settings.city_name), "timezone": escape(settings.timezone)}
    ready = html(template.substitute(given), max_age_s=0)

    @router.get("/ops/alarms/{alarm}")
    async def alarm_page(request: Request, alarm: str) -> Response:
        return answer(request, ready)

    return router
