"""振り返る › メールKPI: what mails brought, per message and month, over the mails sent."""

from datetime import date
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _

from hagukumi.channels.mail import reads as mail
from hagukumi.channels.mail import services
from hagukumi.collect.forms import kinds as form_kinds
from hagukumi.kit import clock
from hagukumi.screens.shell.access import EVERYONE, Request, access

SPANS = (3, 6, 12, 24)


@access(EVERYONE)
def mail_kpi(request: Request) -> HttpResponse:
    """The last months' mails: totals, the course of the rates, and each message in each month."""
    asked = request.GET.get("months", "")
    months = int(asked) if asked in map(str, SPANS) else 6
    today = clock.jst_date(request.now)
    first = clock.jst_midnight(_months_back(today, months - 1))
    rows = services.by_message_and_month(first, request.now, form_kinds.FORM_SUBMITTED.code)
    names = mail.names()
    context = {
        "months": months,
        "spans": SPANS,
        "total": services.total(rows),
        "rows": [(names.get(row.message_id, f"#{row.message_id}"), row) for row in rows],
        "course": _course(rows) if rows else None,
        "days": services.CONVERSION_DAYS,
    }
    return render(request, "learn/mail_kpi/kpi.html", context)


def _months_back(today: date, months: int) -> date:
    year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
    return date(year, month + 1, 1)


def _course(rows: list[services.Figures]) -> dict[str, Any]:
    """An ECharts line per rate over the months, in percent, with the mails sent as bars."""
    months = sorted({row.month for row in rows if row.month})
    totals = [services.total([row for row in rows if row.month == month]) for month in months]

    def line(name: str, rates: list[float | None]) -> dict[str, Any]:
        values = [None if rate is None else round(rate * 100, 2) for rate in rates]
        return {"name": f"{name} %", "type": "line", "yAxisIndex": 1, "data": values}

    return {
        "tooltip": {"trigger": "axis"},
        "legend": {"top": 0, "type": "scroll"},
        "grid": {"left": 48, "right": 48, "top": 40, "bottom": 28},
        "xAxis": {"type": "category", "data": [f"{month.year}/{month.month}" for month in months]},
        "yAxis": [
            {"type": "value"},
            {"type": "value", "axisLabel": {"formatter": "{value}%"}, "splitLine": {"show": False}},
        ],
        "series": [
            {"name": _("送信（通）"), "type": "bar", "data": [one.sent for one in totals], "barMaxWidth": 28},
            line(_("開封率"), [one.open_rate for one in totals]),
            line(_("クリック率"), [one.click_rate for one in totals]),
            line(_("CV率"), [one.conversion_rate for one in totals]),
            line(_("配信停止率"), [one.unsubscribe_rate for one in totals]),
        ],
    }


urlpatterns = [path("learn/mail/", mail_kpi, name="mail_kpi")]
