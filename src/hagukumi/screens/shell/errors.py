"""What people see when something is refused, missing or broken: words in their language, never a traceback."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Rendered without the context processors: a statement that failed may have broken the transaction around it."""
    text = gettext("住所か入力に、使えない文字か大きすぎる数が入っています。前の画面からやり直してください。")
    page = render_to_string("shell/error.html", {"heading": gettext("この指定では開けません"), "text": text})
    return HttpResponse(page, status=400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    text = gettext("この画面を開く権限がありません。必要なときは管理者にお声がけください。")
    return _page(request, 403, gettext("この画面は開けません"), text)


def csrf_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    text = gettext("時間がたったか、Cookie が使えない状態です。前の画面を読み込み直して、もう一度お試しください。")
    return _page(request, 403, gettext("送信を受け付けられませんでした"), text)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    text = gettext("アドレスが変わったか、削除された可能性があります。")
    return _page(request, 404, gettext("ページが見つかりません"), text)


def broken(request: HttpRequest) -> HttpResponse:
    """Rendered without the context processors: the database may be what is broken."""
    text = gettext("こちらの不具合です。入力が保存されていないことがあります。続くときは管理者にお知らせください。")
    page = render_to_string("shell/error.html", {"heading": gettext("うまく表示できませんでした"), "text": text})
    return HttpResponse(page, status=500)


def _page(request: HttpRequest, status: int, heading: str, text: str) -> HttpResponse:
    return render(request, "shell/error.html", {"heading": heading, "text": text}, status=status)
