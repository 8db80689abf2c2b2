"""Errors as problem details (RFC 9457): one shape for every status, in Japanese or English as Accept-Language asks."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from ninja import Schema
from ninja.errors import AuthenticationError, AuthorizationError, HttpError, ValidationError

log = structlog.get_logger(__name__)
TITLES: dict[int, Promise | str] = {
    400: _("要求を読めません。"),
    401: _("有効なトークンがありません。"),
    403: _("このトークンには、この操作の権限がありません。"),
    404: _("見つかりません。"),
    405: _("このメソッドは使えません。"),
    409: _("いまの状態と食い違っています。"),
    413: _("要求が大きすぎます。"),
    415: _("本文は application/json で送ってください。"),
    422: _("内容に誤りがあります。"),
    429: _("要求が多すぎます。しばらく待ってからもう一度送ってください。"),
    500: _("こちらの不具合です。記録しました。"),
}


class FieldError(Schema):
    """Where (`body.email`, `query.limit`) and what."""

    where: str
    message: str


class Problem(Schema):
    """An error. `type` names the kind for programs, `title` for people; `errors` says where the input is wrong."""

    type: str
    title: str
    status: int
    detail: str = ""
    errors: list[FieldError] = []


class ProblemError(Exception):
    """Raise to answer with a problem. `kind` ends its type, `urn:hagukumi:problem:invalid-cursor`."""

    def __init__(
        self, status: int, kind: str = "", detail: Promise | str = "", errors: Sequence[dict[str, str]] = ()
    ) -> None:
        super().__init__(status, kind)
        self.status, self.kind, self.detail, self.errors = status, kind, detail, list(errors)


def answer(
    request: HttpRequest, status: int, kind: str = "", detail: Promise | str = "", errors: Sequence[dict[str, str]] = ()
) -> JsonResponse:
    """The problem as a response, in the language that the request asks for."""
    wish = request.headers.get("Accept-Language", "")
    with translation.override("en" if wish.lower().startswith("en") else "ja"):
        body = {
            "type": f"urn:hagukumi:problem:{kind}" if kind else "about:blank",
            "title": str(TITLES.get(status, HTTPStatus(status).phrase)),
            "status": status,
            "detail": str(detail),
            "errors": list(errors),
        }
    response = JsonResponse(body, status=status, json_dumps_params={"ensure_ascii": False})
    response["Content-Type"] = "application/problem+json"
    if status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="hagukumi"'
    return response


def install(api: Any) -> None:
    """Give the API its handlers: everything that goes wrong inside it leaves as a problem."""
    api.add_exception_handler(ProblemError, lambda r, e: answer(r, e.status, e.kind, e.detail, e.errors))
    api.add_exception_handler(ValidationError, _invalid)
    api.add_exception_handler(AuthenticationError, lambda r, e: answer(r, 401, "unauthenticated"))
    api.add_exception_handler(AuthorizationError, lambda r, e: answer(r, 403, "forbidden"))
    api.add_exception_handler(HttpError, _refused)
    api.add_exception_handler(Http404, lambda r, e: answer(r, 404, "not-found"))
    api.add_exception_handler(Exception, _broken)


def _refused(request: HttpRequest, error: Exception) -> HttpResponse:
    """What ninja itself refuses: a body that is no JSON, or one that says it is something else."""
    status = getattr(error, "status_code", 400)
    if status == 400 and not _is_json(request):
        return answer(request, 415, "unsupported-media-type")
    return answer(request, status)


def _is_json(request: HttpRequest) -> bool:
    return (kind := request.content_type or "") in ("application/json", "") or kind.endswith("+json")


def _invalid(request: HttpRequest, error: Exception) -> HttpResponse:
    if request.method in ("POST", "PUT", "PATCH") and not _is_json(request):
        return answer(request, 415, "unsupported-media-type")
    errors = [
        {"where": ".".join(str(part) for part in _place(one["loc"])), "message": str(one["msg"])}
        for one in getattr(error, "errors", [])
    ]
    return answer(request, 422, "invalid", errors=errors[:50])


def _place(loc: Sequence[Any]) -> list[Any]:
    """The place without the name of our own parameter: ('body', 'given', 'email') is body.email."""
    return [loc[0], *loc[2:]] if len(loc) > 1 and loc[0] == "body" else list(loc)


def _broken(request: HttpRequest, error: Exception) -> HttpResponse:
    log.exception("an API request broke", path=request.path, exc_info=error)
    return answer(request, 500, "internal")


class ProblemMiddleware:
    """Errors that never reach the API's own handlers (no such address, wrong method) leave as problems too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not request.path.startswith("/api/v1/") or response.status_code < 400:
            return response
        if response.headers.get("Content-Type", "").startswith("application/problem+json"):
            return response
        problem = answer(request, response.status_code)
        if "Allow" in response.headers:
            problem["Allow"] = response.headers["Allow"]
        return problem
