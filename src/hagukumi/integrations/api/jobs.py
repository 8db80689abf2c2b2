"""Upkeep of the API, run by Procrastinate's worker once a night."""

from datetime import UTC, datetime

from procrastinate.contrib.django import app

from . import once


@app.periodic(cron="17 18 * * *")
@app.task(name="api.forget_old_keys", queue="upkeep", pass_context=False)
def forget_old_keys(timestamp: int) -> None:
    """Drop the answers kept for repeats that come no more. `timestamp`: of the night it is run for (epoch seconds)."""
    once.forget(datetime.fromtimestamp(timestamp, UTC))
