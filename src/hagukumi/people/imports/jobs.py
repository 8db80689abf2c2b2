"""Work of the leads room that a request does not wait for, run by Procrastinate's worker."""

from procrastinate.contrib.django import app


@app.task(name="leads.run_import", queue="imports", pass_context=False)
def run_import(import_id: int) -> None:
    """Take a queued file in. A repeat finds it done, or taken by somebody else, and leaves."""
    from .services import run

    run(import_id)
