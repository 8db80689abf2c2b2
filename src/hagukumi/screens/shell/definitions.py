"""When what conditions read without a fact is edited (a page's meaning, a source), ask them anew."""

from hagukumi.judge.phases import services as phases
from hagukumi.judge.scoring import services as scoring
from hagukumi.judge.segments import services as segments


def changed(table: str) -> None:
    """Rebuild, at the next beat, the segments, scores and phase models whose conditions read `table`."""
    segments.definitions_changed(table)
    scoring.definitions_changed(table)
    phases.definitions_changed(table)
