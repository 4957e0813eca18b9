"""An endpoint as the first steps of FastAPI's tutorial have it: a dict, returned. Usage: plain_fastapi.py FILE."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import uvicorn
import uvloop
from fastapi import FastAPI

from lamplighter.http_server import listen

PARKING: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text())
app = FastAPI()


@app.get("/public/v1/parking")
async def parking():  # type: ignore[no-untyped-def]
    """All zones."""
    return PARKING


@app.get("/typed/public/v1/parking")
async def typed() -> dict[str, Any]:
    """The same with a type, which FastAPI serialises in another way."""
    return PARKING


async def serve() -> None:
    """Answer until killed."""
    taken = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    answering = asyncio.create_task(server.serve(sockets=[taken]))
    print("ready", taken.getsockname()[1], flush=True)
    await answering


uvloop.run(serve())
