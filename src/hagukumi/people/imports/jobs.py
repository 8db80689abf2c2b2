"""Work of the imports room that a request does not wait for, run by Procrastinate's worker."""

from datetime import UTC, datetime

from procrastinate.contrib.django import app

from . import running, uploads


@app.task(name="leads.run_import", queue="imports", pass_context=False)
def run_import(import_id: int) -> None:
    """Take a queued file in. A repeat finds it done, or taken by somebody else, and leaves."""
    running.run(import_id)


@app.periodic(cron="37 18 * * *")
@app.task(name="imports.forget_uploads", queue="upkeep", pass_context=False)
def forget_uploads(timestamp: int) -> None:
    """Delete uploaded files whose time is over. `timestamp`: of the night it is run for (epoch seconds)."""
    uploads.forget_uploads(datetime.fromtimestamp(timestamp, UTC))
