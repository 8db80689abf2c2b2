"""配信: mail templates with their preview, and the sender identities. Broadcasts and numbers stand beside."""

import re
from typing import Any

from django import forms
from django.contrib import messages as notices
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST

from hagukumi.accounts import services as accounts
from hagukumi.channels.broadcasts import services as broadcasting
from hagukumi.channels.broadcasts.models import Broadcast
from hagukumi.channels.mail import reads, rules, services
from hagukumi.channels.mail.models import Message, Sender
from hagukumi.channels.outbox import rules as outbox_rules
from hagukumi.people.fields.models import Field
from hagukumi.people.leads.models import Lead
from hagukumi.screens.channels.broadcasts import views as broadcasts
from hagukumi.screens.channels.confirming import views as confirming
from hagukumi.screens.channels.suppressions import views as suppressions
from hagukumi.screens.channels.unsubscribe import views as unsubscribe
from hagukumi.screens.learn.mail_kpi import views as mail_kpi
from hagukumi.screens.shell import words
from hagukumi.screens.shell.access import EVERYONE, MARKETING, Request, access

PREVIEW_POLICY = (
    "sandbox allow-popups; default-src 'none'; img-src http: https: data:; style-src 'unsafe-inline';"
    " frame-ancestors 'self'"
)
FIRST_BODY = """# ご案内

{{ 会社名 }} {{ 姓 }} 様

いつもお世話になっております。

[[詳しく見る]](https://www.example.co.jp/)
"""


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
                    (outbox_rules.MARKETING, gettext_lazy("広告・宣伝（同意と配信停止を確認）")),
                    (outbox_rules.OPERATIONAL, gettext_lazy("業務連絡（お申し込みの確認など）")),
                ]
            ),
            "mjml": forms.Textarea({"rows": 18, "spellcheck": "false"}),
            "text": forms.Textarea({"rows": 6}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["sender"].label_from_instance = lambda sender: f"{sender.name} <{sender.email}>"  # type: ignore[attr-defined]
        self.fields["sender"].empty_label = None  # type: ignore[attr-defined]
        self.warnings: list[tuple[str, str]] = []

    def clean_kind(self) -> str:
        kind = self.cleaned_data["kind"]
        if kind not in (outbox_rules.MARKETING, outbox_rules.OPERATIONAL):
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
        if answer["kind"] != outbox_rules.OPERATIONAL:
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


@access(EVERYONE)
def templates(request: Request) -> HttpResponse:
    """Every template in use, with what went out of it."""
    return render(request, "channels/mail/templates.html", {"rows": reads.message_totals(), "tab": "templates"})


@access(MARKETING)
def message_new(request: Request) -> HttpResponse:
    if not Sender.objects.exists():
        notices.info(request, _("先に差出人を登録してください。"))
        return redirect("sender_new")
    given = {"mjml": FIRST_BODY, "kind": outbox_rules.MARKETING, "sender": Sender.objects.order_by("id").first()}
    return _edit(request, Message(created_at=request.now), MessageForm(request.POST or None, initial=given))


@access(MARKETING)
def message(request: Request, message_id: int) -> HttpResponse:
    found = get_object_or_404(Message, pk=message_id, archived_at=None)
    return _edit(request, found, MessageForm(request.POST or None, instance=found))


def _edit(request: Request, found: Message, form: MessageForm) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        if Broadcast.objects.filter(message_id=found.pk or 0, state="sending").exists():
            form.add_error(None, _("このメールは配信中です。変更するには、先に配信を一時停止してください。"))
        else:
            saved = form.save(commit=False)
            saved.created_at = saved.created_at or request.now
            saved.updated_at = request.now
            saved.save()
            accounts.audit(request.user, "message.saved", "message", saved.pk, request.now, name=saved.name,
                           **({"reason": saved.kind_reason} if saved.kind_reason else {}))  # fmt: skip
            notices.success(request, _("保存しました。"))
            return redirect("message", saved.pk)
    problems = services.problems(found) if found.pk and not form.is_bound else []
    context = {
        "form": form,
        "found": found if found.pk else None,
        "problems": problems,
        "placeholders": _placeholders(),
        "example": '{{ last_name|default("there") }}' if words.english() else '{{ 姓|default("ご担当者") }}',
        "leads": _preview_leads(),
        "used": Broadcast.objects.filter(message_id=found.pk or 0).count(),
    }
    return render(request, "channels/mail/message.html", context)


def _placeholders() -> list[tuple[str, Any, str]]:
    """What may be filled in: (as written, what it is, what stands there when it is missing)."""
    english = words.english()
    language = "en" if english else "ja"
    own = f"{{{{ {rules.FIELDS[1] if english else rules.FIELDS[0]}."
    return [
        *(
            (f"{{{{ {one.name_en if english else one.name_ja} }}}}", one.label, one.fallback_in(language))
            for one in rules.VARIABLES
        ),
        *((f"{own}{field.key} }}}}", words.own(field, "label"), "") for field in Field.objects.order_by("key")),
    ]


def _preview_leads() -> Any:
    return (
        Lead.objects.filter(known_at__isnull=False, merged_into=None)
        .exclude(email="")
        .order_by("-known_at", "-lead_id")[:20]
    )


def _draft(request: Request) -> Message | None:
    """The message as typed so far, for a preview; None while there is no sender."""
    chosen = request.POST.get("sender", "")
    wanted = Sender.objects.filter(pk=int(chosen)) if chosen.isascii() and chosen.isdecimal() else Sender.objects.none()
    sender = wanted.first() or Sender.objects.order_by("id").first()
    if sender is None:
        return None
    given = {name: request.POST.get(name, "") for name in ("subject", "preheader", "mjml", "text")}
    kind = outbox_rules.OPERATIONAL if request.POST.get("kind") == outbox_rules.OPERATIONAL else outbox_rules.MARKETING
    return Message(sender=sender, kind=kind, **given)


def _chosen_lead(request: Request) -> int | None:
    chosen = request.POST.get("lead", "")
    return int(chosen) if re.fullmatch(r"[0-9]{1,18}", chosen) else None


@require_POST
@access(MARKETING)
@xframe_options_sameorigin
def message_preview(request: Request) -> HttpResponse:
    """The HTML as the chosen lead would see it, in a sandbox; subject and text come by `message_check`."""
    draft = _draft(request)
    try:
        html = services.preview(draft, _chosen_lead(request)).html if draft else ""
    except services.TemplateProblemError as error:
        return _framed(render(request, "channels/mail/preview_problem.html", {"problem": str(error)}))
    return _framed(HttpResponse(html))


def _framed(response: HttpResponse) -> HttpResponse:
    response.headers["Content-Security-Policy"] = PREVIEW_POLICY
    return response


@require_POST
@access(MARKETING)
def message_check(request: Request) -> HttpResponse:
    """Subject and text as rendered, and what is wrong so far."""
    draft = _draft(request)
    context: dict[str, Any] = {"problems": []}
    if draft:
        found = [problem for _part, problem in services.template_problems(draft)]
        context["problems"] = services.sender_problems(draft.sender) + found
        context["warnings"] = [warning for _part, warning in services.template_warnings(draft)]
        context["stopped"] = reads.stopped_reach() if draft.kind == outbox_rules.OPERATIONAL else 0
        if not found:
            context["rendered"] = services.preview(draft, _chosen_lead(request))
            context["sender"] = draft.sender
    return render(request, "channels/mail/check.html", context)


@require_POST
@access(MARKETING)
def message_test(request: Request, message_id: int) -> HttpResponse:
    """Send the saved message to one's own address."""
    found = get_object_or_404(Message, pk=message_id)
    try:
        outcome = services.send_test(found, to=request.user.email, lead_id=_chosen_lead(request), now=request.now)
    except services.TemplateProblemError as error:
        notices.error(request, str(error))
        return redirect("message", message_id)
    accounts.audit(request.user, "message.tested", "message", message_id, request.now, result=outcome.result)
    if outcome.result == "sent":
        notices.success(request, _("%(to)s にテストメールを送りました。") % {"to": request.user.email})
    else:
        notices.error(request, _("テストメールを送れませんでした（%(reply)s）。") % {"reply": outcome.reply})
    return redirect("message", message_id)


@require_POST
@access(MARKETING)
def message_archive(request: Request, message_id: int) -> HttpResponse:
    """Put a template away; what was sent of it stays."""
    found = get_object_or_404(Message, pk=message_id)
    if Broadcast.objects.filter(message=found, state__in=("scheduled", "sending", "paused")).exists():
        notices.error(request, _("予約中または配信中のため、しまえません。先に配信を中止してください。"))
        return redirect("message", message_id)
    Message.objects.filter(pk=message_id).update(archived_at=request.now)
    accounts.audit(request.user, "message.archived", "message", message_id, request.now, name=found.name)
    notices.success(request, _("「%(name)s」をしまいました。送信の記録は残ります。") % {"name": found.name})
    return redirect("message_templates")


@access(MARKETING)
def senders(request: Request) -> HttpResponse:
    rows = [
        {"sender": sender, "missing": [rules.DISPLAY_ITEMS[name] for name in _missing(sender)]}
        for sender in Sender.objects.order_by("id")
    ]
    return render(request, "channels/mail/senders.html", {"rows": rows, "tab": "senders"})


def _missing(sender: Sender) -> list[str]:
    return rules.missing_items(sender.legal_name, sender.postal_address, sender.contact)


@access(MARKETING)
def sender_new(request: Request) -> HttpResponse:
    return _edit_sender(request, None)


@access(MARKETING)
def sender(request: Request, sender_id: int) -> HttpResponse:
    return _edit_sender(request, get_object_or_404(Sender, pk=sender_id))


def _edit_sender(request: Request, found: Sender | None) -> HttpResponse:
    form = SenderForm(request.POST or None, instance=found)
    if request.method == "POST" and form.is_valid():
        saved = form.save()
        accounts.audit(request.user, "sender.saved", "sender", saved.pk, request.now, name=saved.name)
        if _missing(saved):
            notices.warning(request, " ".join(services.sender_problems(saved)))
        else:
            notices.success(request, _("差出人を保存しました。"))
        return redirect("senders")
    return render(request, "channels/mail/sender.html", {"form": form, "found": found})


@require_POST
@access(MARKETING)
def delivery_resend(request: Request, lead_id: int, delivery_id: int) -> HttpResponse:
    """Send one failed, skipped or doubtful mail again, because a person decided so."""
    if not broadcasting.resend(lead_id, delivery_id, request.now):
        raise Http404
    notices.success(request, _("再送の列に入れました。まもなく送信されます。"))
    target = request.POST.get("next", "")
    return redirect(target if re.fullmatch(r"/messages/[\w/?=&.-]*", target) else "messages")


urlpatterns = [
    *broadcasts.urlpatterns,
    path("messages/templates/", templates, name="message_templates"),
    path("messages/templates/new/", message_new, name="message_new"),
    path("messages/templates/preview/", message_preview, name="message_preview"),
    path("messages/templates/check/", message_check, name="message_check"),
    path("messages/templates/<int:message_id>/", message, name="message"),
    path("messages/templates/<int:message_id>/test/", message_test, name="message_test"),
    path("messages/templates/<int:message_id>/archive/", message_archive, name="message_archive"),
    path("messages/senders/", senders, name="senders"),
    path("messages/senders/new/", sender_new, name="sender_new"),
    path("messages/senders/<int:sender_id>/", sender, name="sender"),
    path("messages/resend/<int:lead_id>/<int:delivery_id>/", delivery_resend, name="delivery_resend"),
    *mail_kpi.urlpatterns,
    *suppressions.urlpatterns,
    *unsubscribe.urlpatterns,
    *confirming.urlpatterns,
]
