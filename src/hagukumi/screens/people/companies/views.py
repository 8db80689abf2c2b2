"""Companies: the list, and one company with its people, what they did, and its deals."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from stdnum.jp import cn

from hagukumi.kit import ja, keyset
from hagukumi.ledger import kinds
from hagukumi.overview.companies import reads as listing
from hagukumi.people.companies import reads
from hagukumi.people.companies import services as verbs
from hagukumi.people.companies.models import Company
from hagukumi.people.companies.rules import INDUSTRIES
from hagukumi.people.leads import services as leads
from hagukumi.screens.shell import words
from hagukumi.screens.shell.access import EVERYONE, MARKETING, Request, access
from hagukumi.screens.shell.found import or_404

WINDOW = timedelta(days=90)
CONTACT = ("web", "mail", "form", "seminar", "call")
"""The groups of kinds that are contact with a company's people."""
UNTOLD = frozenset(("dwell", "scroll", "visitor_joined"))
"""Kinds that say how a page was read or who was joined: no contacts of their own."""


class CompanyForm(forms.ModelForm):
    """What staff may correct. The match key follows the name; two companies cannot share one."""

    industry = forms.ChoiceField(label=gettext_lazy("業種"), required=False)
    sales_yen = forms.IntegerField(label=gettext_lazy("年商（円）"), required=False, min_value=0, max_value=10**15)
    employees = forms.IntegerField(label=gettext_lazy("従業員数"), required=False, min_value=0, max_value=10**7)
    prefecture = forms.ChoiceField(label=gettext_lazy("都道府県"), required=False)
    url = forms.URLField(label=gettext_lazy("サイト"), required=False, max_length=300, assume_scheme="https")

    class Meta:
        model = Company
        fields = ("name", "corporate_number", "industry", "sales_yen", "employees", "prefecture", "url")
        labels = {"name": gettext_lazy("会社名"), "corporate_number": gettext_lazy("法人番号")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        language = words.language()
        industries = [(key, industry.label(language)) for key, industry in INDUSTRIES.items()]
        self.fields["industry"].choices = [("", "—"), *industries]  # type: ignore[attr-defined]
        self.fields["prefecture"].choices = [("", "—"), *((name, name) for name in ja.PREFECTURES)]  # type: ignore[attr-defined]
        self.fields["corporate_number"].required = False

    def clean_name(self) -> str:
        name = self.cleaned_data["name"].strip()
        key = ja.company_key(name)[:200]
        if not key:
            raise ValidationError(_("会社名を入力してください。"))
        if reads.is_taken(key, by_other_than=self.instance.pk):
            raise ValidationError(_("同じ名前の会社がすでにあります。"))
        return name

    def clean_corporate_number(self) -> str | None:
        number = self.cleaned_data.get("corporate_number") or ""
        if not number.strip():
            return None
        if not cn.is_valid(number):
            raise ValidationError(_("法人番号は 13 桁で、検査数字が合う必要があります。"))
        return str(cn.compact(number))


@access(EVERYONE)
def companies(request: Request) -> HttpResponse:
    """The list, newest first, by name or industry."""
    industry = request.GET.get("industry", "")
    filters = listing.Filters(request.GET.get("q", "")[:100], industry if industry in INDUSTRIES else "")
    (before,) = keyset.read(request.GET.get("after"), int) or (listing.LAST,)
    rows, following = listing.page(filters, before=before)
    context = {
        "rows": [{**row, "industry": _industry(row["industry"])} for row in rows],
        "count": listing.count(filters),
        "filters": filters,
        "industries": [(key, _industry(key)) for key in INDUSTRIES],
        "next": following,
        "may_import": request.user.role in MARKETING,
    }
    return render(request, "people/companies/companies.html", context)


def _industry(key: str) -> str:
    language = words.language()
    return INDUSTRIES[key].label(language) if key in INDUSTRIES else key


@access(EVERYONE)
def company(request: Request, company_id: int) -> HttpResponse:
    """One company: facts, people, what they did in 90 days, deals."""
    one = or_404(reads.one(company_id))
    context = {
        "company": one,
        "industry": _industry(one.industry),
        "people": [_person(row) for row in listing.people(company_id)],
        "activity": _acts(listing.activity(company_id, request.now - WINDOW)),
        "deals": listing.deals(company_id),
    }
    return render(request, "people/companies/company.html", context)


def _acts(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What passed between us and them; what the house did by itself (phases, scores, segments) is left out."""
    known = [{**row, "kind": kinds.by_code(row["kind"])} for row in rows]
    return [row for row in known if row["kind"].group in CONTACT and row["kind"].key not in UNTOLD]


def _person(row: dict[str, Any]) -> dict[str, Any]:
    phase = {"name": row["phase_name"], "name_en": row["phase_name_en"], "hue": row["phase_hue"]}
    return {**row, "phase": phase if row["phase_name"] else None}


@access(EVERYONE)
def company_edit(request: Request, company_id: int) -> HttpResponse:
    """Correct a company's facts."""
    one = or_404(reads.one(company_id))
    form = CompanyForm(request.POST or None, instance=one)
    if request.method == "POST" and form.is_valid():
        changed = form.instance
        for column, value in listing.spelled(changed.name).items():
            setattr(changed, column, value)
        with transaction.atomic():
            verbs.correct(changed, request.now)
            leads.company_changed(company_id, now=request.now)
        messages.success(request, _("会社の情報を保存しました。"))
        return redirect("company", company_id)
    return render(request, "people/companies/company_form.html", {"company": one, "form": form})


urlpatterns = [
    path("companies/", companies, name="companies"),
    path("companies/<int:company_id>/", company, name="company"),
    path("companies/<int:company_id>/edit/", company_edit, name="company_edit"),
]
