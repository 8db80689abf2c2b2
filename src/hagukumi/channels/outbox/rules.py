"""What holds for whatever goes out, by any channel: states, the gate's reasons, when to try again."""

from datetime import datetime, timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from hagukumi.kit import clock

MARKETING = "marketing"
OPERATIONAL = "operational"
STATES = ("queued", "sending", "sent", "failed", "skipped", "unknown")
MAX_ATTEMPTS = 6
BACKOFF_MINUTES = (1, 5, 15, 60, 240)
"""Waits after the 1st to 5th soft failure; the 6th is final."""
RELEASE_WAIT = timedelta(seconds=20)
"""How long waits what could not be offered to the other side at all."""
CARRY_OVER_HOUR = 9
"""What is over the daily cap waits until this hour (JST) of the next day; a broadcast's only until its last day."""
UNTIL_RESUMED = datetime(9999, 1, 1, tzinfo=clock.JST)
"""`due_at` of a queued row whose broadcast is paused."""
REASONS: dict[str, str | Promise] = {
    "no_address": _("送り先がありません"),
    "bad_address": _("送り先の形が正しくありません"),
    "lead_inactive": _("在籍中ではないリードです（異動・転職・離職・関心なし・統合済み）"),
    "no_consent": _("配信への同意も、名刺・取引などの根拠もありません"),
    "unsubscribed": _("配信停止の申し出があります"),
    "complaint": _("迷惑メールの申告がありました"),
    "suppressed": _("担当者が配信対象から外しています"),
    "hard_bounce": _("以前の配信で宛先不明になりました"),
    "daily_cap": _("1日の配信上限に達しています"),
    "cancelled": _("配信が中止されました"),
    "temporary": _("一時的な失敗のため、時間をおいて再試行します"),
    "line_stopped": _("送信サーバーがこちらの送信を受け付けないため、再開を待っています"),
    "retries_exhausted": _("再試行の回数を使い切りました"),
    "rejected": _("相手のサーバーが受け取りを拒否しました"),
    "in_doubt": _("送信の途中で途切れ、届いたかどうか確認できません"),
    "resent": _("担当者が再送を指示しました"),
}
"""What the outbox says by itself; a channel adds its own, and may word these for itself."""
RESENDABLE = frozenset(("daily_cap", "line_stopped", "retries_exhausted", "rejected"))
"""Reasons for which all may be sent again at once: mended on our side or theirs, and no person's refusal."""


def retry_at(attempts: int, now: datetime) -> datetime | None:
    """When to try again after `attempts` soft failures; None = never."""
    if attempts >= MAX_ATTEMPTS:
        return None
    return now + timedelta(minutes=BACKOFF_MINUTES[min(attempts, len(BACKOFF_MINUTES)) - 1])


def carry_over(now: datetime) -> datetime:
    """9:00 JST of the day after `now`."""
    tomorrow = clock.jst_date(now) + timedelta(days=1)
    return clock.jst_midnight(tomorrow) + timedelta(hours=CARRY_OVER_HOUR)
