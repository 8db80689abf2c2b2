"""The web face under Granian: Django behind a few blocking threads, the front end's files served without it."""

from pathlib import Path

from granian import Granian
from granian.constants import Interfaces

from hagukumi.embedded.home import bind_address

DIST = Path(__file__).resolve().parents[3] / "frontend" / "dist"
_THREADS = 4  # requests wait on the database, not on Python; more threads would only hold more connections


def serve(port: int) -> int:
    """Serve until SIGTERM; 0."""
    static = DIST.is_dir()
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
        static_path_route=["/static"] if static else None,
        static_path_mount=[DIST] if static else None,
        static_path_expires=3600,
    ).serve()
    return 0
