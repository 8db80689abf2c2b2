"""配信: mail templates with their preview, and the sender identities. Broadcasts and numbers stand beside."""

import re
from typing import Any

from django.contrib import messages as notices
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST

from hagukumi.channels.broadcasts import services as broadcasting
from hagukumi.channels.mail import reads, rules, services
from hagukumi.channels.mail.models import Message
from hagukumi.channels.outbox import rules as outbox_rules
from hagukumi.ledger.uses import InUseError
from hagukumi.people.fields import reads as fields
from hagukumi.screens.channels.broadcasts import views as broadcasts
from hagukumi.screens.channels.confirming import views as confirming
from hagukumi.screens.channels.suppressions import views as suppressions
from hagukumi.screens.channels.unsubscribe import views as unsubscribe
from hagukumi.screens.learn.mail_kpi import views as mail_kpi
from hagukumi.screens.shell import words
from hagukumi.screens.shell.access import EVERYONE, MARKETING, Request, access

from . import senders
from .forms import FIRST_BODY, MessageForm

PREVIEW_POLICY = (
    "sandbox allow-popups; default-src 'none'; img-src http: https: data:; style-src 'unsafe-inline';"
    " frame-ancestors 'self'"
)


@access(EVERYONE)
def templates(request: Request) -> HttpResponse:
    """Every template in use, with what went out of it."""
    return render(request, "channels/mail/templates.html", {"rows": reads.message_totals(), "tab": "templates"})


@access(MARKETING)
def message_new(request: Request) -> HttpResponse:
    known = reads.senders()
    if not known:
        notices.info(request, _("先に差出人を登録してください。"))
        return redirect("sender_new")
    given = {"mjml": FIRST_BODY[words.language()], "kind": outbox_rules.MARKETING, "sender": known[0]}
    return _edit(request, None, MessageForm(request.POST or None, initial=given))


@access(MARKETING)
def message(request: Request, message_id: int) -> HttpResponse:
    found = _found(message_id)
    return _edit(request, found, MessageForm(request.POST or None, instance=found))


def _found(message_id: int) -> Message:
    found = reads.one(message_id)
    if found is None:
        raise Http404
    return found


def _edit(request: Request, found: Message | None, form: MessageForm) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            saved = services.save(form.instance, request.now)
        except services.InFlightError as error:
            form.add_error(None, str(error))
        else:
            notices.success(request, _("保存しました。"))
            return redirect("message", saved.pk)
    context = {
        "form": form,
        "found": found,
        "problems": services.problems(found) if found and not form.is_bound else [],
        "placeholders": _placeholders(),
        "example": '{{ last_name|default("there") }}' if words.english() else '{{ 姓|default("ご担当者") }}',
        "leads": reads.examples(),
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
        *((f"{own}{field.key} }}}}", words.own(field, "label"), "") for field in fields.own()),
    ]


def _draft(request: Request) -> Message | None:
    """The message as typed so far, for a preview; None while there is no sender."""
    chosen = request.POST.get("sender", "")
    known = reads.senders()
    sender = next((one for one in known if str(one.pk) == chosen), known[0] if known else None)
    if sender is None:
        return None
    given = {name: request.POST.get(name, "") for name in ("subject", "preheader", "mjml", "text")}
    kinds = (outbox_rules.MARKETING, outbox_rules.OPERATIONAL)
    return Message(sender=sender, kind=kinds[request.POST.get("kind") == outbox_rules.OPERATIONAL], **given)


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
    found = _found(message_id)
    try:
        outcome = services.send_test(found, to=request.user.email, lead_id=_chosen_lead(request), now=request.now)
    except services.TemplateProblemError as error:
        notices.error(request, str(error))
        return redirect("message", message_id)
    if outcome.result == "sent":
        notices.success(request, _("%(to)s にテストメールを送りました。") % {"to": request.user.email})
    else:
        notices.error(request, _("テストメールを送れませんでした（%(reply)s）。") % {"reply": outcome.reply})
    return redirect("message", message_id)


@require_POST
@access(MARKETING)
def message_archive(request: Request, message_id: int) -> HttpResponse:
    """Put a template away; what was sent of it stays."""
    found = _found(message_id)
    try:
        services.archive(message_id, request.now)
    except InUseError as error:
        notices.error(request, words.in_use(found.name, error.uses))
        return redirect("message", message_id)
    notices.success(request, _("「%(name)s」をしまいました。送信の記録は残ります。") % {"name": found.name})
    return redirect("message_templates")


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
    *senders.urlpatterns,
    path("messages/templates/", templates, name="message_templates"),
    path("messages/templates/new/", message_new, name="message_new"),
    path("messages/templates/preview/", message_preview, name="message_preview"),
    path("messages/templates/check/", message_check, name="message_check"),
    path("messages/templates/<int:message_id>/", message, name="message"),
    path("messages/templates/<int:message_id>/test/", message_test, name="message_test"),
    path("messages/templates/<int:message_id>/archive/", message_archive, name="message_archive"),
    path("messages/resend/<int:lead_id>/<int:delivery_id>/", delivery_resend, name="delivery_resend"),
    *mail_kpi.urlpatterns,
    *suppressions.urlpatterns,
    *unsubscribe.urlpatterns,
    *confirming.urlpatterns,
]
