"""What both teams agreed: why a handover comes back, and by when it is answered."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

RETURNED = "returned"
"""The cause of a phase move that follows a return (`LeadPhase.cause`); its reason is a key of RETURN_REASONS."""
RETURN_REASONS = {
    "no_answer": _("連絡がつかない"),
    "not_now": _("時期が先"),
    "no_need": _("課題が合わない"),
    "no_budget": _("予算がない"),
    "not_decider": _("決裁に関わらない"),
    "wrong_target": _("対象外の企業"),
}


def answer_due(now: datetime, sla_hours: int) -> datetime:
    """When sales has promised to have answered a handover made at `now`: `sla_hours` of clock time later."""
    return now + timedelta(hours=sla_hours)
