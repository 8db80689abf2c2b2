"""What every page knows: the workspace, the side's entries, where the search goes."""

from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, resolve, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .access import workspace_of


@dataclass(frozen=True)
class Entry:
    """`name` is the URL's name, `symbol` a Tabler icon."""

    name: str
    label: Any
    symbol: str
    url: str = ""
    current: bool = False


@dataclass(frozen=True)
class Group:
    label: Any
    entries: tuple[Entry, ...]


NAVIGATION = (
    Group(
        _("集める"),
        (
            Entry("imports", pgettext_lazy("menu", "取り込み"), "database-import"),
            Entry("sources", pgettext_lazy("menu", "ソース"), "map-pin"),
            Entry("forms", pgettext_lazy("menu", "フォーム"), "forms"),
            Entry("tracking", pgettext_lazy("menu", "計測タグ"), "code"),
        ),
    ),
    Group(
        _("知る"),
        (
            Entry("leads", pgettext_lazy("menu", "リード"), "users"),
            Entry("companies", pgettext_lazy("menu", "企業"), "building"),
            Entry("segments", pgettext_lazy("menu", "セグメント"), "filter"),
        ),
    ),
    Group(
        _("育てる"),
        (
            Entry("scenarios", pgettext_lazy("menu", "シナリオ"), "route"),
            Entry("messages", pgettext_lazy("menu", "配信"), "send"),
            Entry("content", pgettext_lazy("menu", "コンテンツ"), "files"),
        ),
    ),
    Group(
        _("見極める"),
        (
            Entry("scoring", pgettext_lazy("menu", "スコア"), "gauge"),
            Entry("phases", pgettext_lazy("menu", "フェーズ"), "stairs"),
            Entry("handovers", pgettext_lazy("menu", "引き渡し"), "arrow-right-circle"),
            Entry("deals", pgettext_lazy("menu", "商談"), "briefcase"),
        ),
    ),
    Group(
        _("振り返る"),
        (
            Entry("funnel", pgettext_lazy("menu", "ファネル"), "chart-funnel"),
            Entry("mail_kpi", pgettext_lazy("menu", "メールKPI"), "mail"),
        ),
    ),
    Group(
        _("設定"),
        (
            Entry("members", pgettext_lazy("menu", "メンバー"), "user-cog"),
            Entry("tokens", "API", "key"),
            Entry("health", pgettext_lazy("menu", "稼働状況"), "heartbeat"),
            Entry("audit", pgettext_lazy("menu", "操作の記録"), "history"),
            Entry("workspace", pgettext_lazy("menu", "設定"), "settings"),
        ),
    ),
)


def house(request: HttpRequest) -> dict[str, Any]:
    user = getattr(request, "user", None)
    role = user.role if user and user.is_authenticated else ""
    return {
        "workspace": SimpleLazyObject(lambda: workspace_of(request)),
        "theme": "dark" if role and request.COOKIES.get("hagukumi_theme", "").endswith("dark") else "light",
        "navigation": _navigation(role, request.path) if role else (),
        "search_url": _url("leads", role) if role else "",
    }


def _navigation(role: str, path: str) -> list[Group]:
    """The groups of which this role may open something, each with just those entries and the present one marked."""
    groups = []
    for group in NAVIGATION:
        found = [(entry, url) for entry in group.entries if (url := _url(entry.name, role))]
        if found:
            entries = [replace(entry, url=url, current=path.startswith(url)) for entry, url in found]
            groups.append(Group(group.label, tuple(entries)))
    return groups


def _url(name: str, role: str) -> str:
    """The address of a screen; '' where there is none or the role may not open it."""
    try:
        url = reverse(name)
    except NoReverseMatch:
        return ""
    return url if role in getattr(resolve(url).func, "roles", ()) else ""
