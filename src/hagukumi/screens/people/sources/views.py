"""ソース: where leads come from, what each cost, and how many leads it has brought."""

from typing import Any

from django import forms
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_GET, require_http_methods

from hagukumi.people.consent import rules as consent
from hagukumi.people.leads import reads as leads
from hagukumi.people.sources import reads, rules, services
from hagukumi.people.sources.models import Source
from hagukumi.screens.shell import definitions, words
from hagukumi.screens.shell.access import EVERYONE, MARKETING, Request, access
from hagukumi.screens.shell.found import or_404


def bases(empty: str) -> list[tuple[str, str]]:
    """The bases of consent as choices, with `empty` for none."""
    language = words.language()
    return [("", empty), *((basis.key, consent.label(basis.key, language)) for basis in consent.BASES)]


class SourceForm(forms.ModelForm):
    """Name, kind, day, cost and the consent basis that its leads usually come with."""

    type = forms.ChoiceField(label=lazy("種類"), choices=lambda: list(rules.SOURCE_TYPES.items()))
    date = forms.DateField(
        label=lazy("日付"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    cost_yen = forms.IntegerField(
        label=lazy("費用（円）"), min_value=0, max_value=10**12, required=False,
        help_text=lazy("出展料や広告費など。リード単価の計算に使います。"),
    )  # fmt: skip
    consent_basis = forms.ChoiceField(label=lazy("配信の根拠"), required=False, choices=lambda: bases(_("決めない")))

    class Meta:
        model = Source
        fields = ("name", "type", "date", "cost_yen", "consent_basis", "note")
        labels = {"name": lazy("名前"), "note": lazy("メモ")}
        widgets = {"note": forms.Textarea(attrs={"rows": 2})}
        error_messages = {"name": {"unique": lazy("同じ名前のソースがすでにあります。")}}

    def clean_cost_yen(self) -> int:
        return self.cleaned_data["cost_yen"] or 0


@access(EVERYONE)
@require_GET
def sources(request: Request) -> HttpResponse:
    """Every source with its leads and what one of them cost; newest first."""
    may_edit = request.user.role in MARKETING
    counts = leads.per_source()
    rows: list[dict[str, Any]] = []
    for source in reads.by_date():
        n = counts.get(source.id, 0)
        each = round(source.cost_yen / n) if n and source.cost_yen else None
        people = f"{reverse('leads')}?source={source.id}"
        rows.append(
            {
                "source": source,
                "type": rules.SOURCE_TYPES.get(source.type, source.type),
                "leads": n,
                "each": each,
                "people": people,
                "to": reverse("source", args=(source.id,)) if may_edit else people,
            }
        )
    return render(request, "people/sources/sources.html", {"rows": rows, "may_edit": may_edit})


@access(MARKETING)
@require_http_methods(["GET", "POST"])
def source(request: Request, source_id: int | None = None) -> HttpResponse:
    """Make a source, or correct one."""
    known = or_404(reads.one(source_id)) if source_id else None
    form = SourceForm(request.POST or None, instance=known or Source(created_at=request.now))
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            services.save(form.instance, request.now)
            if known:
                definitions.changed("source")
        return redirect("sources")
    return render(request, "people/sources/source.html", {"form": form, "source": known})


urlpatterns = [
    path("sources/", sources, name="sources"),
    path("sources/new/", source, name="source_new"),
    path("sources/<int:source_id>/", source, name="source"),
]
