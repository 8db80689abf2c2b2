"""What screens read of score models and their versions."""

from .models import ScoreModel, ScoreVersion


def exists(model_id: int) -> bool:
    """Whether there is such a model."""
    return ScoreModel.objects.filter(id=model_id).exists()


def version(version_id: int) -> ScoreVersion | None:
    """One version with its model."""
    return ScoreVersion.objects.select_related("model").filter(id=version_id).first()


def published(model_id: int) -> list[ScoreVersion]:
    """The versions that are or were in force, newest first."""
    return list(ScoreVersion.objects.filter(model_id=model_id).exclude(published_at=None).order_by("-number"))


def draft(model_id: int) -> ScoreVersion | None:
    """The version under work; None while there is none."""
    return ScoreVersion.objects.filter(model_id=model_id, published_at=None).order_by("-number").first()
