"""受信の確認: the public page behind a confirmation mail. GET shows, POST agrees; a scanner agrees to nothing."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_http_methods

from hagukumi.channels.mail import rules, services
from hagukumi.screens.shell.access import Request, public


@require_http_methods(["GET", "HEAD", "POST"])
@public
def confirm(request: Request, token: str) -> HttpResponse:
    """Who opened this mail may agree; their address is shown masked, for the mail may have been forwarded."""
    found = services.asked(token)
    if found is None:
        return _page(request, {"unknown": True}, 404)
    _lead_id, address, legal_name = found
    done = request.method == "POST" and services.confirm(token, request.now)
    if request.method == "POST" and not done:
        return _page(request, {"unknown": True}, 404)
    return _page(request, {"address": rules.masked_address(address), "by": legal_name, "done": done})


def _page(request: Request, context: dict[str, object], status: int = 200) -> HttpResponse:
    response = render(request, "channels/confirming/confirm.html", context, status=status)
    response["X-Robots-Tag"] = "noindex"
    return response


urlpatterns = [path("k/<str:token>", confirm, name="confirm_mail")]
