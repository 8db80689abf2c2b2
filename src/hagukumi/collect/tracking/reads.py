"""What the tracking screens read."""

from datetime import date, datetime
from typing import Any

from . import kinds
from .models import Page, Site
from .queries import READS


def pages(first: date, *, query: str, category: str, after: tuple[int, int] | None, limit: int) -> list[dict[str, Any]]:
    """Pages by views since `first` (JST): rows of id, url, title, category, views, people; `after` is (views, id)."""
    views, page_id = after or (None, None)
    return READS.pages.rows(
        {
            "view": kinds.PAGE_VIEW.code,
            "first": first,
            "q": query,
            "category": category,
            "after_views": views,
            "after_id": page_id,
            "limit": limit,
        }
    )


def views_by_day(first: date) -> list[dict[str, Any]]:
    """(day, views) since `first`; days without views are left out."""
    return READS.views_by_day.rows({"view": kinds.PAGE_VIEW.code, "first": first})


def drops_by_day(first: date) -> list[dict[str, Any]]:
    """(day, reason, count) since `first`."""
    return READS.drops_by_day.rows({"first": first})


def alive(since: datetime) -> list[dict[str, Any]]:
    """(origin, views, people) since an instant, for sites that were heard."""
    return READS.alive.rows({"view": kinds.PAGE_VIEW.code, "since": since})


def offered_pages(limit: int = 300) -> list[Page]:
    """Pages for choosing one: those with a category first."""
    return list(Page.objects.order_by("-category", "url")[:limit])


def categories_in_use() -> list[str]:
    """The categories that some page has."""
    return list(Page.objects.exclude(category="").order_by("category").values_list("category", flat=True).distinct())


def site_origins() -> list[str]:
    """Where the sites of ours are: `https://www.example.co.jp`, by name."""
    return list(Site.objects.order_by("origin").values_list("origin", flat=True))


def sites() -> list[Site]:
    """Our sites, by name."""
    return list(Site.objects.order_by("name", "id"))


def site(site_id: int) -> Site | None:
    return Site.objects.filter(pk=site_id).first()
