"""The lead list: filters, pages, bulk tags with preview and undo, export. One person's page is in `lead.py`."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from hagukumi.accounts import reads as staff_reads
from hagukumi.judge.phases import services as phases
from hagukumi.judge.segments import reads as segments
from hagukumi.kit import keyset, tables, tokens
from hagukumi.kit.clock import jst_date
from hagukumi.overview.leads import reads as lead_list
from hagukumi.people.leads import reads, services
from hagukumi.people.sources import reads as sources
from hagukumi.screens.shell import words
from hagukumi.screens.shell.access import EVERYONE, MARKETING, Request, access

from . import export, person
from . import lead as one

EXPORT_LIMIT = 100_000
BIGGEST = 2**63 - 1
SORTS = {
    "known": gettext_lazy("新しい順"),
    "score": gettext_lazy("スコアが高い順"),
    "active": gettext_lazy("最近行動した順"),
}


SELECTS = {
    "phase": gettext_lazy("フェーズ"),
    "segment": gettext_lazy("セグメント"),
    "source": gettext_lazy("ソース"),
    "tag": gettext_lazy("タグ"),
    "owner": gettext_lazy("担当"),
    "complete": gettext_lazy("成立"),
    "state": gettext_lazy("状態"),
}


class FilterForm(forms.Form):
    """The filter bar. What cannot be read restricts nothing; choices come from the house's definitions."""

    q = forms.CharField(required=False, max_length=100)
    phase = forms.TypedChoiceField(required=False, coerce=int, empty_value=None)
    segment = forms.TypedChoiceField(required=False, coerce=int, empty_value=None)
    source = forms.TypedChoiceField(required=False, coerce=int, empty_value=None)
    tag = forms.ChoiceField(required=False)
    owner = forms.ChoiceField(required=False)
    score_min = forms.IntegerField(required=False, min_value=0, max_value=1000)
    complete = forms.ChoiceField(
        required=False,
        choices=[("", gettext_lazy("成立・不足")), ("1", gettext_lazy("成立")), ("0", gettext_lazy("不足あり"))],
    )
    state = forms.ChoiceField(required=False)
    sort = forms.ChoiceField(required=False, choices=list(SORTS.items()))
    company = forms.IntegerField(required=False, min_value=1, max_value=BIGGEST)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        model = phases.primary()
        found = phases.phases_of(model.id) if model else []
        staff = [(one.id, one.name) for one in staff_reads.active()]
        self._offer("phase", [(p.id, words.own(p)) for p in found])
        self._offer("segment", segments.choices())
        self._offer("source", sources.latest())
        self._offer("tag", [(tag, tag) for tag in reads.tags()])
        self._offer("owner", [("none", _("担当者なし")), *staff])
        self._offer("state", services.STATES.items())

    def _offer(self, name: str, choices: Any) -> None:
        self.fields[name].choices = [("", SELECTS[name]), *choices]  # type: ignore[attr-defined]

    def filters(self) -> lead_list.Filters:
        self.is_valid()
        read = self.cleaned_data
        owner = read.get("owner") or ""
        return lead_list.Filters(
            q=read.get("q") or "", phase=read.get("phase"), segment=read.get("segment"), source=read.get("source"),
            tag=read.get("tag") or "", owner=int(owner) if owner.isdecimal() else None, unowned=owner == "none",
            score_min=read.get("score_min"), complete={"1": True, "0": False}.get(read.get("complete") or ""),
            state=read.get("state") or "", company=read.get("company"), sort=read.get("sort") or "known",
        )  # fmt: skip

    def selects(self) -> list[dict[str, Any]]:
        """The bar's choices: name, label, options of (value, text, chosen)."""
        return [
            {
                "name": name,
                "label": label,
                "options": [
                    (value, text, str(value) == self.data.get(name, ""))
                    for value, text in self.fields[name].choices  # type: ignore[attr-defined]
                ],  # type: ignore[attr-defined]
            }
            for name, label in SELECTS.items()
        ]

    def kept(self) -> list[tuple[str, str]]:
        """The filters in force, by name."""
        return [(name, value) for name in self.fields if (value := self.data.get(name))]

    def query(self, **more: str) -> str:
        """The filters as a query string, for links that keep them."""
        return urlencode([*self.kept(), *more.items()])


@access(EVERYONE)
def leads(request: Request) -> HttpResponse:
    """The list. `after` is the mark of the page; `undo` a sealed bulk act that may still be taken back."""
    form = FilterForm(request.GET)
    filters = form.filters()
    page = lead_list.page(filters, after=keyset.read(request.GET.get("after"), *lead_list.KEYS[filters.sort]))
    context = {
        "form": form,
        "filters": filters,
        "cards": [person.dressed(card) for card in page.cards],
        "count": lead_list.count(filters),
        "sorts": SORTS,
        "next": page.next,
        "query": form.query(),
        "kept": form.kept(),
        "selects": form.selects(),
        "undo": request.GET.get("undo", ""),
        "may_tag": request.user.role in MARKETING,
        "tags": reads.tags(),
    }
    return render(request, "people/leads/leads.html", context)


@require_POST
@access(MARKETING)
def leads_tag(request: Request) -> HttpResponse:
    """Bulk tag: first says whom it would reach, then (`apply`) does it. Chosen ids, or everybody the filters show."""
    form = FilterForm(request.POST)
    ids = [int(value) for value in request.POST.getlist("ids") if value.isdecimal() and int(value) <= BIGGEST]
    everybody = request.POST.get("everybody") == "1"
    tag = " ".join(request.POST.get("tag", "").replace("\x00", "").split())
    if not tag or len(tag) > 60 or not (ids or everybody):
        messages.error(request, _("タグ名（60文字以内）と、付けるリードを選んでください。"))
        return redirect(f"{_list()}?{form.query()}")
    select = lead_list.chosen_sql(form.filters()) if everybody else services.known_sql(ids)
    if "apply" not in request.POST:
        context = {
            "tag": tag,
            "ids": ids,
            "everybody": everybody,
            "form": form,
            "query": form.query(),
            "kept": form.kept(),
            **services.tag_preview(select, tag),
        }
        return render(request, "people/leads/tag_preview.html", context)
    tagged = services.tag_from(select, tag, now=request.now)
    messages.success(request, _("%(n)s 名に「%(tag)s」を付けました。") % {"n": f"{tagged:,}", "tag": tag})
    micros = (request.now - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    undo = {"undo": tokens.seal("undo-tag", micros, text=tag)} if tagged else {}
    return redirect(f"{_list()}?{form.query(**undo)}")


@require_POST
@access(MARKETING)
def leads_untag(request: Request) -> HttpResponse:
    """Takes one bulk act back: the tag goes off from those whom that act gave it."""
    try:
        (micros,), tag = tokens.unseal("undo-tag", request.POST.get("undo", ""))
    except ValueError as error:
        raise BadRequest from error
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    undone = services.undo_tagging(at, tag, now=request.now)
    messages.success(
        request, _("元に戻しました。%(n)s 名から「%(tag)s」を外しました。") % {"n": f"{undone:,}", "tag": tag}
    )
    return redirect("leads")


@access(EVERYONE)
def leads_export(request: Request) -> HttpResponse:
    """What the filters show, as CSV: UTF-8 with a mark, or cp932 with every character that it lacks listed."""
    encoding = "cp932" if request.GET.get("encoding") == "cp932" else "utf-8-sig"
    rows = lead_list.export_rows(FilterForm(request.GET).filters(), EXPORT_LIMIT, request.now)
    body, unmappable = tables.write_csv(*export.table(rows), encoding)
    if unmappable and not request.GET.get("anyway"):
        query = FilterForm(request.GET).query(encoding="cp932", anyway="1")
        return render(
            request,
            "people/leads/unmappable.html",
            {"unmappable": unmappable[:200], "n": len(unmappable), "query": query},
        )
    response = HttpResponse(body, content_type=f"text/csv; charset={'cp932' if encoding == 'cp932' else 'utf-8'}")
    response["Content-Disposition"] = f'attachment; filename="leads-{jst_date(request.now):%Y%m%d}.csv"'
    return response


def _list() -> str:
    return reverse("leads")


urlpatterns = [
    path("leads/", leads, name="leads"),
    path("leads/tag/", leads_tag, name="leads_tag"),
    path("leads/tag/undo/", leads_untag, name="leads_untag"),
    path("leads/export/", leads_export, name="leads_export"),
    *one.urlpatterns,
]
