"""個人データ: everything about one person as a file, and their erasure. For administrators, who confirm themselves."""

import json
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from hagukumi.integrations.privacy import services
from hagukumi.people.leads import reads as leads
from hagukumi.screens.shell.access import ADMIN, Request, access, confirmed
from hagukumi.screens.shell.found import or_404


@access(ADMIN)
@confirmed
@require_http_methods(["GET", "POST"])
def privacy(request: Request, lead_id: int) -> HttpResponse:
    """What can be done with a person's data; POST erases, once their number has been typed and a reason given."""
    lead = or_404(leads.one(lead_id))
    problem, reason = "", request.POST.get("reason", "").strip()
    if request.method == "POST":
        if request.POST.get("number", "").strip() != str(lead_id):
            problem = _("リードの番号が違います。")
        elif not reason:
            problem = _("消去の理由を書いてください。")
        else:
            return _erased(request, lead_id, reason)
    context = {"lead": lead, "problem": problem, "reason": reason}
    return render(request, "people/privacy/privacy.html", context, status=422 if problem else 200)


def _erased(request: Request, lead_id: int, reason: str) -> HttpResponse:
    done = services.erase(lead_id, request.now, reason=reason)
    said: dict[str, Any] = {"rows": sum(done.rows.values()), "files": len(done.files), "stops": done.stops_kept}
    messages.success(
        request,
        _("消去しました（記録 %(rows)s件、ファイル %(files)s個）。配信停止 %(stops)s件は照合用の値だけを残します。")
        % said,
    )
    return redirect("leads")


@access(ADMIN)
@confirmed
@require_POST
def privacy_export(request: Request, lead_id: int) -> HttpResponse:
    """Everything as a JSON file."""
    try:
        everything = services.export(lead_id, request.now)
    except services.NobodyError:
        raise Http404 from None
    response = HttpResponse(json.dumps(everything, ensure_ascii=False, indent=1), content_type="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="lead-{lead_id}.json"'
    return response


urlpatterns = [
    path("leads/<int:lead_id>/privacy/", privacy, name="lead_privacy"),
    path("leads/<int:lead_id>/privacy/export/", privacy_export, name="lead_privacy_export"),
]
