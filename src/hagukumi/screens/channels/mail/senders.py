"""差出人: the identities in whose name mails go out, with the display items that the law asks for."""

from django.contrib import messages as notices
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from hagukumi.channels.mail import reads, rules, services
from hagukumi.channels.mail.models import Sender
from hagukumi.ledger.uses import InUseError
from hagukumi.screens.shell import words
from hagukumi.screens.shell.access import MARKETING, Request, access

from .forms import SenderForm


@access(MARKETING)
def senders(request: Request) -> HttpResponse:
    """Every sender in use, with what is missing of its display items."""
    rows = [
        {"sender": sender, "missing": [rules.DISPLAY_ITEMS[name] for name in _missing(sender)]}
        for sender in reads.senders()
    ]
    return render(request, "channels/mail/senders.html", {"rows": rows, "tab": "senders"})


def _missing(sender: Sender) -> list[str]:
    return rules.missing_items(sender.legal_name, sender.postal_address, sender.contact)


@access(MARKETING)
def sender_new(request: Request) -> HttpResponse:
    return _edit(request, None)


@access(MARKETING)
def sender(request: Request, sender_id: int) -> HttpResponse:
    return _edit(request, _found(sender_id))


def _found(sender_id: int) -> Sender:
    found = reads.sender(sender_id)
    if found is None:
        raise Http404
    return found


def _edit(request: Request, found: Sender | None) -> HttpResponse:
    form = SenderForm(request.POST or None, instance=found)
    if request.method == "POST" and form.is_valid():
        saved = services.save_sender(form.instance, request.now)
        if _missing(saved):
            notices.warning(request, " ".join(services.sender_problems(saved)))
        else:
            notices.success(request, _("差出人を保存しました。"))
        return redirect("senders")
    return render(request, "channels/mail/sender.html", {"form": form, "found": found})


@require_POST
@access(MARKETING)
def sender_archive(request: Request, sender_id: int) -> HttpResponse:
    """Put a sender away; mails that went out in its name keep it."""
    found = _found(sender_id)
    try:
        services.archive_sender(sender_id, request.now)
    except InUseError as error:
        notices.error(request, words.in_use(found.name, error.uses))
        return redirect("sender", sender_id)
    notices.success(request, _("「%(name)s」をしまいました。送信の記録は残ります。") % {"name": found.name})
    return redirect("senders")


urlpatterns = [
    path("messages/senders/", senders, name="senders"),
    path("messages/senders/new/", sender_new, name="sender_new"),
    path("messages/senders/<int:sender_id>/", sender, name="sender"),
    path("messages/senders/<int:sender_id>/archive/", sender_archive, name="sender_archive"),
]
