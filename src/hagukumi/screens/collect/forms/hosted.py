"""The form that the public fills in, hosted or framed by a registered site. What comes in is hostile.

The page's island posts to the collector; without JavaScript, or where the collector cannot be reached, the browser
posts here, and the answer takes the same way: `kit.answers`, then the inbox.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from hagukumi.collect.content import services as contents
from hagukumi.collect.forms import reads
from hagukumi.collect.forms.models import Form, FormVersion
from hagukumi.collect.tracking import reads as sites
from hagukumi.collect.tracking import services as tracking
from hagukumi.collect.tracking.rules import is_origin
from hagukumi.kit import answers
from hagukumi.screens.shell.access import Request, public
from hagukumi.screens.shell.middleware import address_of

MAX_BODY = 65_536


@public
@csrf_exempt  # strangers have no session to protect; a trap and a fill time stand guard instead
@xframe_options_exempt
@never_cache
@require_http_methods(["GET", "POST"])
def hosted(request: Request, slug: str) -> HttpResponse:
    form, version = _open_form(slug)
    language = _language(request)
    definition = answers.definition(version.definition)
    with translation.override(language):
        if request.method == "POST":
            return _answered(request, form, version, definition, language)
        return _page(request, form, version, definition, language, {}, {})


@public
@xframe_options_exempt
@never_cache
@require_http_methods(["GET"])
def thanks(request: Request, slug: str) -> HttpResponse:
    _form, version = _open_form(slug, also_closed=True)
    language = _language(request)
    definition = answers.definition(version.definition)
    token = request.GET.get("d", "")
    opened = contents.open_link(token, request.now) if token else None
    context = {
        "title": answers.pick(definition.title_ja, definition.title_en, language),
        "text": answers.pick(definition.thanks_ja, definition.thanks_en, language),
        "piece": opened.content if opened else None,
        "token": token,
        "language": language,
        "embed": bool(request.GET.get("embed")),
    }
    with translation.override(language):
        return _guarded(render(request, "collect/forms/thanks.html", context))


def shown(
    definition: answers.Definition,
    consent_text: str,
    language: str,
    given: Mapping[str, str],
    errors: Mapping[str, str],
) -> dict[str, Any]:
    """The form in one language, as the template draws it: texts, and fields with their value and error."""
    fields = [
        {
            "key": question.key,
            "type": question.type,
            "label": question.label(language),
            "required": question.required,
            "choices": [
                (choice.value, answers.pick(choice.label_ja, choice.label_en, language) or choice.value)
                for choice in question.choices
            ],
            "value": given.get(question.key, ""),
            "error": errors.get(question.key, ""),
            "autocomplete": _AUTOCOMPLETE.get(question.maps_to, "off"),
        }
        for question in definition.fields
    ]
    button = answers.pick(definition.button_ja, definition.button_en, language)
    return {
        "title": answers.pick(definition.title_ja, definition.title_en, language),
        "lead": answers.pick(definition.lead_ja, definition.lead_en, language),
        "button": button or answers.message("send", language),
        "fields": fields,
        "consent": definition.consent,
        "consent_text": consent_text,
        "consent_given": bool(given.get(answers.CONSENT)),
        "consent_error": errors.get(answers.CONSENT, ""),
        "error": errors.get("", ""),
    }  # fmt: skip


_AUTOCOMPLETE = {
    "last_name": "family-name", "first_name": "given-name", "company_name": "organization", "email": "email",
    "title": "organization-title", "phone": "tel", "mobile": "tel", "postal_code": "postal-code",
    "prefecture": "address-level1", "address": "street-address",
}  # fmt: skip


def _answered(
    request: Request, form: Form, version: FormVersion, definition: answers.Definition, language: str
) -> HttpResponse:
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BODY:
        return HttpResponse(status=413)
    given = {key: str(value) for key, value in request.POST.items()}
    outcome = answers.validate(definition, given, language, at=request.now.timestamp())
    if outcome.errors:
        return _page(request, form, version, definition, language, given, outcome.errors, status=422)
    embed = "&embed=1" if request.GET.get("embed") else ""
    if outcome.trap:
        tracking.put_in_inbox("", now=request.now, drop_reason="trap")
        return redirect(f"/f/{form.slug}/thanks?l={language}{embed}")
    page = given.get(answers.STARTED, "")
    event = answers.event_of(page)
    details = answers.details(outcome, language, address_of(request), page, given.get(answers.WORK, ""))
    tracking.put_in_inbox(
        "form", now=request.now, event_id=event, visitor=_visitor(request), object_id=version.pk, details=details
    )
    if own := answers.safe_redirect(definition.redirect):
        return redirect(own)
    token = ""
    if form.content_id:
        token = "&d=" + contents.download_link(form.content_id, request.now, event=str(event)).removeprefix("/d/")
    return redirect(f"/f/{form.slug}/thanks?l={language}{embed}{token}")


def _page(
    request: Request, form: Form, version: FormVersion, definition: answers.Definition, language: str,
    given: Mapping[str, str], errors: Mapping[str, str], status: int = 200,
) -> HttpResponse:  # fmt: skip
    text = version.consent_text.text if version.consent_text else ""
    context = {
        "shown": shown(definition, text, language, given, errors),
        "started": answers.started_token(version.pk, request.now.timestamp()),
        "work": answers.WORK_BITS if form.challenge == "work" else 0,
        "language": language,
        "visitor": _visitor(request),
        "embed": bool(request.GET.get("embed")),
        "post_to": f"{settings.COLLECTOR_URL}/f/{form.slug}",
        "tag": f"{settings.COLLECTOR_URL}/tag.js",
        "names": answers,
    }
    return _guarded(render(request, "collect/forms/hosted.html", context, status=status))


def _guarded(response: HttpResponse) -> HttpResponse:
    """The page's own policy: our scripts and the collector's tag; framed by ourselves and by registered sites only."""
    collector = settings.COLLECTOR_URL
    frames = " ".join(filter(is_origin, sites.site_origins()))
    response.headers["Content-Security-Policy"] = (
        f"default-src 'self'; script-src 'self' {collector}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        f"font-src 'self' data:; connect-src 'self' {collector}; object-src 'none'; base-uri 'none'; "
        f"form-action 'self'; frame-ancestors 'self' {frames}"
    )
    return response


def _open_form(slug: str, *, also_closed: bool = False) -> tuple[Form, FormVersion]:
    form = reads.open_one(slug, also_closed=also_closed)
    if form is None or form.version is None:
        raise Http404
    return form, form.version


def _language(request: Request) -> str:
    asked = request.POST.get(answers.LANGUAGE) or request.GET.get("l", "")
    return asked if asked in ("ja", "en") else answers.language_of(request.headers.get("Accept-Language", ""))


def _visitor(request: Request) -> str:
    """The tag's visitor id: posted, handed over by the framing site, or this site's own cookie."""
    found = request.POST.get(answers.VISITOR) or request.GET.get("v") or request.COOKIES.get("hgk", "")
    plain = found.replace("-", "").replace("_", "")
    return found if 8 <= len(found) <= 40 and plain.isascii() and plain.isalnum() else ""


urlpatterns = [
    path("f/<slug:slug>", hosted, name="hosted_form"),
    path("f/<slug:slug>/thanks", thanks, name="hosted_thanks"),
]
