"""The kinds of activity that the consent room writes. Codes are stored: never change or reuse one."""

from hagukumi.ledger.kinds import Kind

CONSENT_CHANGED = Kind(45, "consent_changed", "配信同意の変更", "Consent changed", "shield-check", "lead")

CONSENT_ASKED = Kind(46, "consent_asked", "受信の確認メールを依頼", "Asked to confirm by mail", "mail-question", "lead")
CONSENT_CONFIRMED = Kind(47, "consent_confirmed", "本人が受信を確認", "Confirmed by the person", "mail-check", "lead")

KINDS = (CONSENT_CHANGED, CONSENT_ASKED, CONSENT_CONFIRMED)
