"""ホーム: each role lands on the screen that shows its work of today."""

from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, path, reverse
from django.utils.translation import gettext as _

from hagukumi.channels.mail import services as mail
from hagukumi.ledger import kinds
from hagukumi.overview.homes import reads as reports
from hagukumi.sales.handovers import reads as handover_reads
from hagukumi.screens.shell.access import EVERYONE, Request, access, workspace_of

SETTLING_IN = timedelta(days=30)
"""For how long after the set-up the first steps that are still to do stand on the home screen."""
FACTS_SHOWN = 5


@access(EVERYONE)
def home(request: Request) -> HttpResponse:
    day = reports.Day.of(request.now)
    if request.user.role == "sales":
        return render(request, "overview/home/sales.html", _sales(request.user.pk, day))
    begun = reports.begun()
    steps = _first_steps(begun)
    if not begun["leads"]:
        return render(request, "overview/home/first.html", {"steps": steps, "day": day})
    began = workspace_of(request).set_up_at
    is_new = began is not None and day.now - began < SETTLING_IN and not all(step["done"] for step in steps)
    return render(request, "overview/home/marketing.html", {**_marketing(day), "steps": steps if is_new else []})


def _marketing(day: reports.Day) -> dict[str, Any]:
    sends = reports.sends(day)
    moves, week = reports.moves(day), False
    if not moves:
        moves, week = reports.moves(day, days=7), True
    people = _by_person(moves)
    return {
        "day": day,
        "counts": reports.counts(day),
        "sends": sends,
        "sent": sum(row["sent"] for row in sends),
        "waiting": sum(row["waiting"] for row in sends),
        "moves": people,
        "moved": moves[0]["moved"] if moves else 0,
        "moves_of_week": week,
        "scenarios": reports.scenarios(),
        "forms": reports.answered(day),
        "stuck": reports.stuck(day),
        "standing_still": mail.standing_still(),
    }


def _by_person(moves: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each person once, where their newest fact stands, with all that happened to them."""
    people: dict[int, dict[str, Any]] = {}
    for row in moves:
        person = people.setdefault(row["lead_id"], {"row": row, "facts": []})
        if len(person["facts"]) < FACTS_SHOWN:
            person["facts"].append((row, kinds.by_code(row["kind"])))
    return list(people.values())


def _sales(user_id: int, day: reports.Day) -> dict[str, Any]:
    return {
        "day": day,
        "desk": handover_reads.desk("open", day.now, size=10)[0],
        "desk_counts": handover_reads.counts(day.since, day.now),
        "hot": reports.hot(user_id),
        "deals": reports.own_deals(user_id, day),
        "deal_counts": reports.deal_counts(day),
    }


def _first_steps(begun: dict[str, Any]) -> list[dict[str, Any]]:
    """The first things to do, in order, each with where to do it and whether it is done."""
    steps = [
        (
            "leads",
            "imports",
            _("リードを取り込む"),
            _("名刺データや展示会のリスト（CSV・Excel）をそのまま読み込めます。"),
        ),
        ("senders", "senders", _("配信元を整える"), _("メールに表示する会社名・住所・問い合わせ先を登録します。")),
        ("sites", "tracking", _("計測タグを置く"), _("Webサイトに1行加えると、だれが何を見たかが分かります。")),
        (
            "forms",
            "forms",
            _("フォームを公開する"),
            _("問い合わせや資料ダウンロードを受け付け、同意も一緒に残します。"),
        ),
    ]
    following = next((key for key, *_rest in steps if not begun[key]), "")
    return [
        {"done": begun[key], "next": key == following, "url": _address(name), "title": title, "text": text}
        for key, name, title, text in steps
    ]


def _address(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


urlpatterns = [path("", home, name="home")]
