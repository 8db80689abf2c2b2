"""The job runner: Procrastinate's worker in a thread of its own inside the worker process.

Jobs are what takes longer than a request and is no part of a beat (an import). A job that a death left behind is taken
up again; so every job must be able to begin anew.
"""

import asyncio
import threading

import structlog
from django.db import connections
from procrastinate import App
from procrastinate.contrib.django import app
from psycopg import Error as DatabaseError

log = structlog.get_logger(__name__)
CONCURRENCY = 1
"""One at a time: an import takes what the machine has."""
STALLED_SECONDS = 30.0
SWEEP_SECONDS = 10.0


def run(stop: threading.Event) -> None:
    """Run jobs until `stop` is set. The database may come and go: the runner waits and begins again."""
    while not stop.is_set():
        try:
            asyncio.run(_until(stop))
        except (DatabaseError, OSError, RuntimeError) as error:
            log.warning("the job runner lost the database; it waits", error=str(error).strip())
        except Exception:
            log.exception("the job runner failed; it begins again")
        stop.wait(1.0)
    connections.close_all()


async def _until(stop: threading.Event) -> None:
    runner = app.with_connector(app.connector.get_worker_connector())  # type: ignore[attr-defined]
    async with runner.open_async():
        tasks = {asyncio.create_task(work) for work in (_work(runner), _sweep(runner), _watch(stop))}
        done, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        for task in done:
            task.result()


async def _work(runner: App) -> None:
    await runner.run_worker_async(
        concurrency=CONCURRENCY, install_signal_handlers=False, fetch_job_polling_interval=2.0,
        shutdown_graceful_timeout=5.0, delete_jobs="successful",
    )  # fmt: skip


async def _sweep(runner: App) -> None:
    """Take up again what a worker that died was doing."""
    while True:
        for job in await runner.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
            log.warning("a job was left behind and is taken up again", job=job.id, task=job.task_name)
            await runner.job_manager.retry_job(job)
        await asyncio.sleep(SWEEP_SECONDS)


async def _watch(stop: threading.Event) -> None:
    while not stop.is_set():
        await asyncio.sleep(0.2)
