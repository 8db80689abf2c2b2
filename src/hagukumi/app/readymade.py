"""What every workspace starts with: segments, the score table, phase models, deal stages. Each room knows its own."""

from datetime import datetime

from django.db import transaction

from hagukumi.judge.phases import services as phases
from hagukumi.judge.scoring import services as scoring
from hagukumi.judge.segments import services as segments
from hagukumi.sales.deals import services as deals


def lay(now: datetime) -> None:
    """Make whatever was never made; what people have changed or archived since is left alone."""
    with transaction.atomic():
        segments.ready_made(now)
        scoring.ready_made(now)
        phases.ready_made(now)
        deals.ready_made()
