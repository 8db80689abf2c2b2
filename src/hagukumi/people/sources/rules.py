"""Kinds of source (M1)."""

from typing import Any

from django.utils.translation import gettext_lazy as _

SOURCE_TYPES: dict[str, Any] = {
    "card": _("名刺"),
    "exhibition": _("展示会リスト"),
    "seminar": _("セミナー・ウェビナー"),
    "telemarketing": _("テレマーケティング"),
    "inquiry": _("Web 問い合わせ"),
    "request": _("資料ダウンロード"),
    "survey": _("アンケート"),
    "trial": _("無料トライアル"),
    "ads": _("広告・SNS"),
    "other": _("その他"),
}
"""M1. Key -> label."""
