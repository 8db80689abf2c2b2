"""計測タグ: the snippet, the sites that may send, whether they are alive, pages, what was dropped."""

from collections import defaultdict
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_GET, require_POST

from hagukumi.collect.tracking import reads, rules, services
from hagukumi.collect.tracking.models import Site
from hagukumi.kit import clock, keyset
from hagukumi.screens.shell import definitions, words
from hagukumi.screens.shell.access import MARKETING, Request, access
from hagukumi.screens.shell.found import or_404

DAYS = 30


class SiteForm(forms.Form):
    name = forms.CharField(label=lazy("名前"), max_length=80)
    origin = forms.CharField(label=lazy("アドレス"), max_length=200, help_text=lazy("例: https://www.example.co.jp"))

    def clean_origin(self) -> str:
        try:
            return rules.origin(self.cleaned_data["origin"])
        except (ValueError, UnicodeError):
            raise ValidationError(
                _("サイトのアドレスの形を確かめてください（例: https://www.example.co.jp）。")
            ) from None


@access(MARKETING)
@require_GET
def tracking(request: Request) -> HttpResponse:
    return render(request, "collect/tracking/tracking.html", _setup(request))


@access(MARKETING)
@require_POST
def add_site(request: Request) -> HttpResponse:
    form = SiteForm(request.POST)
    if not form.is_valid():
        return render(request, "collect/tracking/tracking.html", _setup(request, form), status=422)
    site, new = services.add_site(form.cleaned_data["origin"], name=form.cleaned_data["name"], now=request.now)
    said = (
        _("%(site)s を登録しました。タグを貼ると、数秒で計測が始まります。") if new else _("%(site)s は登録済みです。")
    )
    messages.success(request, said % {"site": site.origin})
    return redirect("tracking")


@access(MARKETING)
@require_POST
def remove_site(request: Request, pk: int) -> HttpResponse:
    site = or_404(reads.site(pk))
    services.remove_site(site, request.now)
    messages.success(request, _("%(site)s の計測を止めました。これまでの履歴は残ります。") % {"site": site.origin})
    return redirect("tracking")


@access(MARKETING)
@require_GET
def live(request: Request) -> HttpResponse:
    return render(request, "collect/tracking/live.html", {"sites": _sites(request.now)})


@access(MARKETING)
@require_GET
def pages(request: Request) -> HttpResponse:
    first = clock.jst_date(request.now) - timedelta(days=DAYS - 1)
    query, category = request.GET.get("q", "").strip()[:200], request.GET.get("category", "")
    after = keyset.read(request.GET.get("after"), int, int)
    asked = reads.pages(first, query=query, category=category, after=after, limit=keyset.PAGE_SIZE + 1)
    rows, more = keyset.page(asked, "views", "id")
    context = {
        "tab": "pages",
        "rows": rows,
        "query": query,
        "category": category,
        "categories": dict(words.labels(rules.CATEGORIES)),
        "days": DAYS,
        "next": more,
        "filtered": bool(query or category),
        "chart": _views_chart(request),
    }
    return render(request, "collect/tracking/pages.html", context)


@access(MARKETING)
@require_POST
def set_category(request: Request, pk: int) -> HttpResponse:
    category = request.POST.get("category", "")
    if category and category not in rules.CATEGORIES:
        return HttpResponse(status=422)
    with transaction.atomic():
        services.set_category(pk, category)
        definitions.changed("page")
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204)
    return redirect("tracking_pages")


@access(MARKETING)
@require_GET
def drops(request: Request) -> HttpResponse:
    today = clock.jst_date(request.now)
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    counts: dict[str, dict[Any, int]] = defaultdict(dict)
    for row in reads.drops_by_day(days[0]):
        counts[row["reason"]][row["day"]] = row["count"]
    labels = dict(words.labels(rules.DROP_REASONS))
    totals = sorted(((sum(days_of.values()), reason) for reason, days_of in counts.items()), reverse=True)
    chart = {
        "legend": {"top": 0, "right": 0},
        "xAxis": {"type": "category", "data": [f"{day.month}/{day.day}" for day in days]},
        "yAxis": {"type": "value", "minInterval": 1},
        "series": [
            {
                "type": "bar", "stack": "all", "name": labels.get(reason, reason),
                "data": [counts[reason].get(day, 0) for day in days],
            }
            for _total, reason in totals
        ],
    }  # fmt: skip
    rows = [(labels.get(reason, reason), total, _why(reason)) for total, reason in totals]
    return render(request, "collect/tracking/drops.html", {"tab": "drops", "rows": rows, "chart": chart, "days": DAYS})


def _setup(request: Request, form: SiteForm | None = None) -> dict[str, Any]:
    address = settings.COLLECTOR_URL
    plain = f'<script async src="{address}/tag.js"></script>'
    consent = f'<script async src="{address}/tag.js" data-consent="required"></script>'
    return {
        "tab": "setup",
        "plain": plain,
        "consent": consent,
        "agree": "<script>hagukumi('consent', true)</script>",
        "custom": "hagukumi('event', '見積シミュレーション', {step: 3})",
        "sites": _sites(request.now),
        "form": form or SiteForm(),
    }


def _sites(now: Any) -> list[dict[str, Any]]:
    """Each site with its last sign of life: `state` is live (5 minutes), quiet (24 hours), silent or never."""
    recent = {row["origin"]: row for row in reads.alive(now - timedelta(minutes=30))}
    rows = []
    for site in reads.sites():
        heard = recent.get(site.origin.lower(), {})
        rows.append({"site": site, "state": _state(site, now), "views": heard.get("views", 0),
                     "people": heard.get("people", 0)})  # fmt: skip
    return rows


def _state(site: Site, now: Any) -> str:
    if site.last_seen_at is None:
        return "never"
    quiet = now - site.last_seen_at
    if quiet < timedelta(minutes=5):
        return "live"
    return "quiet" if quiet < timedelta(hours=24) else "silent"


def _views_chart(request: Request) -> dict[str, Any]:
    today = clock.jst_date(request.now)
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    views = {row["day"]: row["views"] for row in reads.views_by_day(days[0])}
    return {
        "xAxis": {"type": "category", "data": [f"{day.month}/{day.day}" for day in days]},
        "yAxis": {"type": "value", "minInterval": 1},
        "series": [{"type": "line", "name": _("ページ閲覧"), "data": [views.get(day, 0) for day in days]}],
    }


def _why(reason: str) -> str:
    return {
        "bot": _("検索エンジンや監視ツールなど、人ではないアクセスです。"),
        "prefetch": _("ブラウザの先読みで、人はまだ見ていません。"),
        "foreign": _("登録していないサイトから届きました。心当たりがあればサイトを登録してください。"),
        "too_large": _("一度に届く量の上限（64 kB・50件）を超えています。"),
        "malformed": _("形式が正しくありません。タグが古いか、いたずらです。"),
        "too_old": _("3日より前の出来事です。"),
        "future": _("時計が5分以上進んでいます。"),
        "rate": _("1人から1分に300件を超えました。"),
        "trap": _("フォームに届いた自動送信です。"),
        "repeat": _("同じ出来事が二度届きました。一度だけ数えています。"),
        "unknown": _("リンクの持ち主がすでにいません。"),
    }.get(reason, "")


urlpatterns = [
    path("tracking/", tracking, name="tracking"),
    path("tracking/sites/", add_site, name="tracking_add_site"),
    path("tracking/sites/<int:pk>/remove/", remove_site, name="tracking_remove_site"),
    path("tracking/live/", live, name="tracking_live"),
    path("tracking/pages/", pages, name="tracking_pages"),
    path("tracking/pages/<int:pk>/category/", set_category, name="tracking_category"),
    path("tracking/drops/", drops, name="tracking_drops"),
]
