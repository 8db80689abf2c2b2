"""配信停止: the public page behind every mail's stop link. GET shows, POST acts (RFC 8058); a scanner stops nobody."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from hagukumi.channels.mail import rules
from hagukumi.channels.unsubscribe import services
from hagukumi.kit import tokens
from hagukumi.screens.shell.access import Request, public


@csrf_exempt  # mail providers post here without a cookie (RFC 8058 3.2); the sealed token is the proof
@require_http_methods(["GET", "HEAD", "POST"])
@public
def unsubscribe(request: Request, token: str) -> HttpResponse:
    """The page of one recipient. Shows their address masked, for the mail may have been forwarded."""
    try:
        numbers, _text = tokens.unseal("unsubscribe", token)
        lead_id, delivery_id = numbers
    except (tokens.BadTokenError, ValueError):
        return _page(request, {"unknown": True}, 404)
    if delivery_id == 0:
        return _page(request, {"test": True})
    found = services.recipient(lead_id, delivery_id)
    if found is None:
        return _page(request, {"unknown": True}, 404)
    if request.method == "POST":
        _act(request, lead_id, delivery_id)
        if request.POST.get("List-Unsubscribe") == "One-Click":
            return HttpResponse("ok", content_type="text/plain")
    if request.method == "POST":
        found = services.recipient(lead_id, delivery_id) or found
    context = {
        "address": rules.masked_address(found.address),
        "by": found.author,
        "stopped": found.stopped,
        "acted": request.method == "POST",
    }
    return _page(request, context)


def _act(request: Request, lead_id: int, delivery_id: int) -> None:
    if request.POST.get("act") == "resume":
        services.resubscribe(lead_id, delivery_id, evidence=f"/u/ delivery {delivery_id}", now=request.now)
    else:
        way = "one-click" if request.POST.get("List-Unsubscribe") else "page"
        services.unsubscribe(lead_id, delivery_id, evidence=f"/u/ delivery {delivery_id} ({way})", now=request.now)


def _page(request: Request, context: dict[str, object], status: int = 200) -> HttpResponse:
    response = render(request, "channels/unsubscribe/unsubscribe.html", context, status=status)
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    return response


urlpatterns = [path("u/<str:token>/", unsubscribe, name="unsubscribe"), path("u/<str:token>", unsubscribe)]
