"""Builds what is new or was changed, in a session of its own, while the heart beats: see `ledger.builds`."""

import threading
from datetime import datetime

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction

from hagukumi.kit import clock
from hagukumi.ledger import builds
from hagukumi.ledger import services as ledger

log = structlog.get_logger(__name__)
REST_SECONDS = 1.0


class Building:
    """What the heart and its builder know of each other."""

    def __init__(self) -> None:
        self.awake = threading.Event()
        """Set while this process has the heart: another's definitions are not to be built."""
        self.busy = threading.Event()
        """Set while something is being built: bulk work waits, for what it changes would have to be asked again."""


def run(stop: threading.Event, building: Building) -> None:
    """Build until `stop` is set. The database may come and go; what breaks is set aside by its room, or tried again."""
    while not stop.is_set():
        try:
            if not building.awake.is_set() or not build_next(clock.now(), building):
                stop.wait(REST_SECONDS)
        except (OperationalError, InterfaceError) as error:
            log.warning("the database is away; the builder waits", error=str(error).strip())
            connection.close()
            stop.wait(REST_SECONDS)
        except Exception:
            log.exception("a build failed; it is tried again")
            stop.wait(REST_SECONDS)
    connection.close()


def build_next(now: datetime, building: Building) -> bool:
    """Build the first definition that waits for it; whether there was one."""
    unbuilt = builds.unbuilt()
    if not unbuilt:
        return False
    step, ids = next(iter(unbuilt.items()))
    building.busy.set()
    try:
        operation = builds.begin(step, ids[0], now)  # committed by itself: beats see it before the build looks
        with transaction.atomic():
            ledger.open_beat_tables()
            ledger.forget_touched()
            changed = builds.build(step, operation)
            ledger.record_pending(ledger.BULK)
        log.info("a definition was built", step=step, object_id=ids[0], changed=changed)
    except builds.OvertakenError:
        log.info("a definition was changed while it was being built; it is built again", step=step, object_id=ids[0])
    finally:
        building.busy.clear()
    return True
