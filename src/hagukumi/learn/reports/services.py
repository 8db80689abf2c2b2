"""Verbs of the reports."""

from datetime import date, datetime

from django.db import transaction

from hagukumi.accounts import audit

from .models import Plan


def save_plan(month: date, target: int, rates: list[float], now: datetime) -> Plan:
    """Keep the target of a month (its first day) with the rates it was made with; what differs is written down."""
    kept = {"won_target": target, "rates": {"steps": rates}}
    with transaction.atomic():
        before = Plan.objects.filter(month=month).values(*kept).first() or {}
        plan, _ = Plan.objects.update_or_create(month=month, defaults={**kept, "updated_at": now})
        if changes := audit.changed(before, kept):
            audit.record("plan.saved", "plan", month, now, changes=changes)
    return plan
