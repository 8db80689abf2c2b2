"""一斉配信の計画: which mail, to whom, when."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hagukumi.channels.mail import reads as mails
from hagukumi.judge.segments import reads as segments
from hagukumi.kit import clock


class BroadcastForm(forms.Form):
    message = forms.TypedChoiceField(label=gettext_lazy("メール"), coerce=int)
    segment = forms.TypedChoiceField(label=gettext_lazy("送る相手（セグメント）"), coerce=int)
    at = forms.DateTimeField(
        label=gettext_lazy("送る日時（日本時間）"),
        required=False,
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=gettext_lazy("空のままなら、確認のあとすぐに送ります。"),
    )
    carry_until = forms.DateField(
        label=gettext_lazy("上限を超えた分を持ち越す最後の日"),
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy(
            "1日の配信上限に達している人には翌日以降に送ります。空のままなら7日後まで。過ぎた分は送りません。"
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose = ("", _("選んでください"))
        mail_choices = [(key, f"{name}（{subject}）") for key, name, subject in mails.subjects()]
        self.fields["message"].choices = [choose, *mail_choices]  # type: ignore[attr-defined]
        self.fields["segment"].choices = [choose, *segments.choices()]  # type: ignore[attr-defined]

    def plan(self) -> dict[str, Any]:
        """What was chosen, as `broadcasts.draft` takes it."""
        chosen = self.cleaned_data
        return {
            "message_id": chosen["message"],
            "segment_id": chosen["segment"],
            "at": chosen["at"],
            "carry_until": self._last_moment(),
        }

    def _last_moment(self) -> datetime | None:
        day = self.cleaned_data["carry_until"]
        return clock.jst_midnight(day + timedelta(days=1)) if day else None
