"""What is asked for on the mail screens: a template, and a sender identity."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hagukumi.channels.mail import reads, rules, services
from hagukumi.channels.mail.models import Message, Sender
from hagukumi.channels.outbox.rules import MARKETING, OPERATIONAL

FIRST_BODY = {
    "ja": """# ご案内

{{ 会社名 }} {{ 姓 }} 様

いつもお世話になっております。

[[詳しく見る]](https://www.example.co.jp/)
""",
    "en": """# News from us

Dear {{ last_name }},

Thank you for your interest.

[[Read more]](https://www.example.co.jp/)
""",
}
"""What a new mail begins with, in its writer's language."""


class MessageForm(forms.ModelForm):
    """A template; what is wrong with it stands next to the part that it is in."""

    as_typed = forms.BooleanField(label=gettext_lazy("確かめました。書いたとおりに保存します"), required=False)

    class Meta:
        model = Message
        fields = ("name", "kind", "kind_reason", "sender", "subject", "preheader", "mjml", "text")
        labels = {
            "name": gettext_lazy("管理名"),
            "kind": gettext_lazy("種類"),
            "kind_reason": gettext_lazy("業務連絡とする理由"),
            "sender": gettext_lazy("差出人"),
            "subject": gettext_lazy("件名"),
            "preheader": gettext_lazy("プリヘッダー"),
            "mjml": gettext_lazy("本文"),
            "text": gettext_lazy("テキスト版"),
        }
        help_texts = {
            "kind_reason": gettext_lazy("業務連絡のときだけ必要です。配信停止の人にも届くため、理由を記録に残します。"),
            "preheader": gettext_lazy("受信一覧で件名の後に見える一文です。"),
            "text": gettext_lazy("空のままなら、本文から自動で作ります。"),
        }
        widgets = {
            "kind": forms.Select(
                choices=[
                    (MARKETING, gettext_lazy("広告・宣伝（同意と配信停止を確認）")),
                    (OPERATIONAL, gettext_lazy("業務連絡（お申し込みの確認など）")),
                ]
            ),
            "mjml": forms.Textarea({"rows": 18, "spellcheck": "false"}),
            "text": forms.Textarea({"rows": 6}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["sender"].label_from_instance = lambda sender: f"{sender.name} <{sender.email}>"  # type: ignore[attr-defined]
        self.fields["sender"].queryset = self.fields["sender"].queryset.filter(archived_at=None)  # type: ignore[attr-defined]
        self.fields["sender"].empty_label = None  # type: ignore[attr-defined]
        self.warnings: list[tuple[str, str]] = []

    def clean_kind(self) -> str:
        kind = self.cleaned_data["kind"]
        if kind not in (MARKETING, OPERATIONAL):
            raise forms.ValidationError(_("種類を選んでください。"))
        return kind

    def clean(self) -> dict[str, Any]:
        answer = super().clean() or {}
        if not self.errors:
            for part, problem in services.template_problems(self.draft()):
                self.add_error(part, problem)
        if not self.errors:
            self._ask_about_slips()
            self._ask_for_reason(answer)
        return answer

    def _ask_about_slips(self) -> None:
        """What looks like a slip is shown once, and saved as it is when the writer says so."""
        self.warnings = services.template_warnings(self.draft())
        if not self.cleaned_data.get("as_typed"):
            for part, warning in self.warnings:
                self.add_error(part, warning)

    def _ask_for_reason(self, answer: dict[str, Any]) -> None:
        if answer["kind"] != OPERATIONAL:
            answer["kind_reason"] = ""
        elif not answer["kind_reason"].strip():
            words = _(
                "業務連絡は、配信停止の %(n)s 名にも届きます。広告・宣伝を含まない連絡である理由を書いてください。"
            )
            self.add_error("kind_reason", words % {"n": f"{reads.stopped_reach():,}"})

    def draft(self) -> Message:
        """The message as typed, saved nowhere."""
        given = {name: self.cleaned_data.get(name) for name in self.Meta.fields}
        return Message(**given)


class SenderForm(forms.ModelForm):
    class Meta:
        model = Sender
        fields = ("name", "email", "reply_to", "legal_name", "postal_address", "contact")
        labels = {
            "name": gettext_lazy("差出人の表示名"),
            "email": gettext_lazy("差出人のメールアドレス"),
            "reply_to": gettext_lazy("返信先"),
            "legal_name": gettext_lazy("送信者の正式名称"),
            "postal_address": gettext_lazy("住所"),
            "contact": gettext_lazy("苦情・問い合わせの受付先"),
        }
        help_texts = {
            "legal_name": gettext_lazy("会社の登記上の名称など。メールの末尾に表示されます。"),
            "contact": gettext_lazy("電話番号、メールアドレスまたは URL。"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("legal_name", "postal_address", "contact"):  # may wait, but "optional" would be a lie
            self.fields[name].mark = gettext_lazy("広告・宣伝メールに必要")  # type: ignore[attr-defined]

    def clean_email(self) -> str:
        address = self._address("email")
        if domain := rules.free_mail_domain(address):
            raise forms.ValidationError(
                _("%(domain)s は無料メールのアドレスです。自社ドメインのアドレスにしてください。") % {"domain": domain}
            )
        return address

    def clean_reply_to(self) -> str:
        return self._address("reply_to") if self.cleaned_data["reply_to"] else ""

    def _address(self, name: str) -> str:
        address = self.cleaned_data[name].strip()
        if not rules.sendable_address(address):
            raise forms.ValidationError(_("メールアドレスの形が正しくありません。"))
        return address
