"""The condition builder that segments, score rules and phase rules share: its catalogue and its preview."""

import json
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import json_script
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from hagukumi.accounts import reads as staff
from hagukumi.judge.segments import rules
from hagukumi.judge.segments import services as segments
from hagukumi.judge.segments.controls import Offer, pick
from hagukumi.people.fields import reads as fields
from hagukumi.screens.shell import words
from hagukumi.screens.shell.access import EVERYONE, Request, access

EMPTY = {"schema": 1, "type": "all", "items": []}


def builder(tree: Any, now: Any, *, without_segment: int | None = None) -> dict[str, Any]:
    """What `segments/_builder.html` needs: the document, the catalogue, the first answer."""
    document = tree or EMPTY
    return {
        "tree_json": json.dumps(document, ensure_ascii=False),
        "catalog_script": json_script(catalog(without_segment)),
        "preview_url": reverse("condition_preview"),
        **answer(document, now),
    }


def read(text: str) -> dict[str, Any]:
    """The posted document, checked and in its stored form; ConditionError where it is wrong."""
    try:
        document = json.loads(text or "{}")
    except (ValueError, RecursionError) as error:
        raise segments.ConditionError(_("条件を読み取れませんでした。もう一度組み立ててください。")) from error
    return segments.document(document)


def answer(tree: Any, now: Any) -> dict[str, Any]:
    """The tree read back: its sentence and how many leads it holds for, or what is wrong with it."""
    try:
        return {"sentence": segments.sentence(tree, words.language()), "count": segments.count(tree, now)}
    except segments.ConditionError as error:
        return {"problem": str(error)}


@require_POST
@access(EVERYONE)
def preview(request: Request) -> HttpResponse:
    """The answer for the tree that is being built, as a part of a page."""
    try:
        tree: Any = json.loads(request.POST.get("tree", ""))
    except (ValueError, RecursionError):
        tree = None
    return render(request, "judge/segments/_answer.html", answer(tree, request.now))


def catalog(without_segment: int | None = None) -> dict[str, Any]:
    """The builder's vocabulary in the reader's language: columns, and each leaf type with its controls."""
    lang = words.language()
    columns: list[dict[str, Any]] = [
        {
            "key": column.key,
            "label": column.label(lang),
            "type": column.type,
            "choices": [[key, pick(ja, en)] for key, ja, en in column.choices],
        }
        for column in rules.COLUMNS.values()
    ]
    columns += [
        {
            "key": f"own.{own.key}",
            "label": pick(own.label_ja, own.label_en),
            "type": own.type,
            "choices": [_choice(item) for item in own.choices],
        }
        for own in fields.own()
    ]
    people = [[user.id, user.name] for user in staff.active()]
    for column in columns:
        if column["type"] == "person":
            column["choices"] = people
        elif column["type"] == "bool":
            column["choices"] = [["true", _("はい")], ["false", _("いいえ")]]
    return {
        "columns": columns,
        "operators": rules.OPERATORS,
        "operator_words": {
            "is": _("が次と等しい"),
            "is_not": _("が次と異なる"),
            "contains": _("に次を含む"),
            "in": _("が次のどれか"),
            "empty": _("が空"),
            "filled": _("が入っている"),
            "gte": _("が次以上（以降）"),
            "lte": _("が次以下（以前）"),
        },
        "leaves": _leaves(without_segment),
        "words": {
            "all": _("すべて"),
            "any": _("いずれか"),
            "of": _("に当てはまる"),
            "column": _("比べる項目"),
            "operator": _("比べ方"),
            "add": _("条件を追加"),
            "group": _("グループ"),
            "remove": _("この条件を外す"),
            "not": _("除く"),
            "choose": _("選ぶ"),
            "none": _("選べるものがまだありません"),
            "comma": _("「,」区切りで複数"),
            "everyone": _("条件がありません。全員が対象です。"),
        },
    }


def _choice(item: Any) -> list[Any]:
    return [item, item] if isinstance(item, str) else [item.get("key", ""), item.get("label", item.get("key", ""))]


def _leaves(without_segment: int | None) -> list[dict[str, Any]]:
    """Each leaf type that can be added, with a fresh instance and its controls, as the leaf itself offers them."""
    offered = [(leaf, offer) for leaf in segments.leaf_types() if (offer := _other(leaf.offer(), without_segment))]
    return [
        {
            "type": (key := leaf.__pydantic_fields__["type"].default),
            "label": pick(leaf.label_ja, leaf.label_en),
            "fresh": {"type": key, **offer.fresh},
            "controls": offer.controls,
        }
        for leaf, offer in sorted(offered, key=lambda pair: pair[1].place)
    ]


def _other(offer: Offer | None, segment_id: int | None) -> Offer | None:
    """A segment is not offered to itself."""
    if offer is None or segment_id is None or "segment" not in offer.fresh:
        return offer
    (chooser,) = offer.controls
    options = [option for option in chooser["options"] if option[0] != segment_id]
    return Offer(offer.place, {"segment": options[0][0]}, [{**chooser, "options": options}]) if options else None
