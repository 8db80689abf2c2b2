"""What screens read of phase models and their rules."""

from .models import Phase, PhaseModel, PhaseRule


def models() -> list[PhaseModel]:
    """Every model, the primary one first."""
    return list(PhaseModel.objects.order_by("-is_primary", "id"))


def model(key: str) -> PhaseModel | None:
    """One model by its key."""
    return PhaseModel.objects.filter(key=key).first()


def every_phase() -> list[Phase]:
    """Every phase with its model, the primary model's first, in order."""
    return list(Phase.objects.select_related("model").order_by("-model__is_primary", "model_id", "position"))


def rules(model_id: int) -> list[PhaseRule]:
    """A model's rules with their phases, in the order in which they are asked."""
    return list(
        PhaseRule.objects.filter(model_id=model_id)
        .select_related("source_phase", "target_phase")
        .order_by("source_phase__position", "-target_phase__position", "priority", "id")
    )


def rule(model_id: int, rule_id: int) -> PhaseRule | None:
    """One rule of a model."""
    return PhaseRule.objects.filter(id=rule_id, model_id=model_id).first()
