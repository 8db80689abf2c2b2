"""The web face under Granian: Django behind a few blocking threads. WhiteNoise serves the front end's files in front of
it, with the same headers as every page (Granian's own static route sets none, not even `nosniff`)."""

from granian import Granian
from granian.constants import Interfaces

from hagukumi.embedded.home import bind_address

_THREADS = 4  # requests wait on the database, not on Python; more threads would only hold more connections


def serve(port: int) -> int:
    """Serve until SIGTERM; 0."""
    Granian(
        "hagukumi.app.wsgi:application",
        address=bind_address(),
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=_THREADS,
        respawn_failed_workers=True,
        workers_kill_timeout=5,
        websockets=False,
        log_access=False,
    ).serve()
    return 0
