"""The kinds of activity that the consent room writes. Codes are stored: never change or reuse one."""

from hagukumi.ledger.kinds import Kind

CONSENT_CHANGED = Kind(45, "consent_changed", "配信同意の変更", "Consent changed", "shield-check", "lead")

KINDS = (CONSENT_CHANGED,)
