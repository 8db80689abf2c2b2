"""What every page knows: the workspace, the side's entries, where the search goes."""

from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, resolve, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from hagukumi.accounts.models import Workspace


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
            Entry("imports", _("取り込み"), "database-import"),
            Entry("sources", _("ソース"), "map-pin"),
            Entry("forms", _("フォーム"), "forms"),
            Entry("tracking", _("計測タグ"), "code"),
        ),
    ),
    Group(
        _("知る"),
        (
            Entry("leads", _("リード"), "users"),
            Entry("companies", _("企業"), "building"),
            Entry("segments", _("セグメント"), "filter"),
        ),
    ),
    Group(
        _("育てる"),
        (
            Entry("scenarios", _("シナリオ"), "route"),
            Entry("messages", _("配信"), "send"),
            Entry("content", _("コンテンツ"), "files"),
        ),
    ),
    Group(
        _("見極める"),
        (
            Entry("scoring", _("スコア"), "gauge"),
            Entry("phases", _("フェーズ"), "stairs"),
            Entry("handovers", _("引き渡し"), "arrow-right-circle"),
            Entry("deals", _("商談"), "briefcase"),
        ),
    ),
    Group(
        _("振り返る"),
        (
            Entry("funnel", _("ファネル"), "chart-funnel"),
            Entry("mail_kpi", _("メールKPI"), "mail"),
        ),
    ),
    Group(
        _("設定"),
        (
            Entry("members", _("メンバー"), "user-cog"),
            Entry("tokens", "API", "key"),
            Entry("health", _("稼働状況"), "heartbeat"),
            Entry("audit", _("操作の記録"), "history"),
            Entry("workspace", _("設定"), "settings"),
        ),
    ),
)


def house(request: HttpRequest) -> dict[str, Any]:
    user = getattr(request, "user", None)
    role = user.role if user and user.is_authenticated else ""
    return {
        "workspace": SimpleLazyObject(lambda: Workspace.objects.order_by("id").first() or Workspace()),
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
