"""配信しない宛先: which addresses are never mailed, why, by whose word, and a way back with a reason."""

from datetime import UTC, datetime

from django.contrib import messages as notices
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from hagukumi.kit import keyset
from hagukumi.people.consent import rules
from hagukumi.people.consent import services as consent
from hagukumi.screens.shell import words
from hagukumi.screens.shell.access import MARKETING, Request, access

_NEWEST = (datetime(9999, 1, 1, tzinfo=UTC), "")


@access(MARKETING)
def suppressions(request: Request) -> HttpResponse:
    """Every suppressed address, newest first; by reason, and by a part of the address."""
    reason = request.GET.get("reason", "")
    reason = reason if reason in rules.REASONS else ""
    q = request.GET.get("q", "").replace("\x00", "")[:100]
    after = keyset.read(request.GET.get("after"), datetime, str) or _NEWEST
    found = consent.suppressions(reason=reason, q=q, after=after, limit=keyset.PAGE_SIZE + 1)
    shown, more = keyset.page(found, "at", "value")
    counts = consent.suppressed_by_reason()
    context = {
        "rows": [(one, _label(one.reason)) for one in shown],
        "more": more,
        "reasons": [(code, _label(code), counts.get(code, 0)) for code in rules.REASONS],
        "reason": reason,
        "q": q,
        "tab": "suppressions",
    }
    return render(request, "channels/suppressions/suppressions.html", context)


def _label(code: str) -> str:
    return rules.REASONS.get(code, (code, code))[words.english()]


@require_POST
@access(MARKETING)
def suppression_lift(request: Request) -> HttpResponse:
    """Take one address off the list. The reason is typed and kept; a person's own stop stays in their consent."""
    address = request.POST.get("address", "").replace("\x00", "")
    why = request.POST.get("why", "").replace("\x00", "").strip()[:200]
    if not why:
        notices.error(request, _("解除の理由（いつ・どこで確かめたか）を入力してください。"))
        return redirect("suppressions")
    lifted = consent.lift(address, why=why, now=request.now)
    if lifted is None:
        notices.warning(request, _("この宛先は一覧にありません。"))
        return redirect("suppressions")
    if lifted.reason in ("hard_bounce", "complaint"):
        notices.success(request, _("%(address)s を一覧から外しました。") % {"address": lifted.value})
    else:
        notices.warning(
            request,
            _("%(address)s を一覧から外しました。本人の停止は残ります。再開の希望はリードの画面で記録してください。")
            % {"address": lifted.value},
        )
    return redirect("suppressions")


urlpatterns = [
    path("messages/suppressions/", suppressions, name="suppressions"),
    path("messages/suppressions/lift/", suppression_lift, name="suppression_lift"),
]
