"""The web face under Granian: the front, with Django behind it. WhiteNoise finds the front end's files, with the
headers of every page (Granian's own static route sets none, not even `nosniff`)."""

import asyncio
import resource
import signal

import structlog
import uvloop
from granian.constants import HTTPModes
from granian.http import HTTP1Settings
from granian.server.embed import Server

from hagukumi.embedded.home import bind_address

log = structlog.get_logger(__name__)
HEAD_MILLISECONDS = 20_000
DOORS = 8_000
"""Requests at a time, whole or not; each is a file to the system."""
GRACE_SECONDS = 2.5


def serve(port: int, *, body_seconds: float | None = None) -> int:
    """Serve until SIGTERM; 0. One process: the supervisor starts it again should it end otherwise."""
    uvloop.run(_serve(port, body_seconds))
    return 0


async def _serve(port: int, body_seconds: float | None) -> None:
    from .front import BODY_SECONDS, Front
    from .wsgi import application

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(DOORS + 256, hard)), hard))
    front = Front(application, body_seconds=body_seconds or BODY_SECONDS)
    server = Server(
        front,
        address=bind_address(),
        port=port,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEAD_MILLISECONDS),
        websockets=False,
        backlog=1024,
        backpressure=DOORS,
        log_enabled=False,  # the front tells what happens; Granian's own lines are not in the shape of our log
        log_access=False,
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    log.info("the web face listens", port=port)
    serving = loop.create_task(server.serve())
    stopping = loop.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    log.info("the web face stops")
    deadline = loop.time() + GRACE_SECONDS
    while front.busy and loop.time() < deadline:
        await asyncio.sleep(0.05)
    server.stop()
    await asyncio.wait({serving}, timeout=GRACE_SECONDS)
    stopping.cancel()
