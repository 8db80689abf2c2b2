"""The condition builder that segments, score rules and phase rules share: its catalogue and its preview."""

import json
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import json_script
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from hagukumi.accounts.models import User
from hagukumi.channels.mail.models import Message
from hagukumi.collect.content.models import Content
from hagukumi.collect.forms.models import Form
from hagukumi.collect.tracking.models import Page
from hagukumi.collect.tracking.rules import CATEGORIES
from hagukumi.judge.phases.models import Phase, PhaseModel
from hagukumi.judge.scoring.models import ScoreModel
from hagukumi.judge.segments import rules
from hagukumi.judge.segments import services as segments
from hagukumi.ledger import kinds as ledger_kinds
from hagukumi.people.companies.rules import INDUSTRIES
from hagukumi.people.fields.models import Field
from hagukumi.people.leads.models import LeadTag
from hagukumi.people.sources import rules as source_rules
from hagukumi.people.sources.models import Source
from hagukumi.screens.shell.access import EVERYONE, Request, access

ACT_GROUPS = ("web", "mail", "form", "seminar", "call", "deal")
SHOWN_OBJECTS = 200
EMPTY = {"schema": 1, "type": "all", "items": []}
Options = list[list[Any]]


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
        return {"sentence": segments.sentence(tree, get_language() or "ja"), "count": segments.count(tree, now)}
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


def _pick(ja: str, en: str) -> str:
    return en if (get_language() or "ja").startswith("en") else ja


def catalog(without_segment: int | None = None) -> dict[str, Any]:
    """The builder's vocabulary in the reader's language: columns, and each leaf type with its controls."""
    lang = get_language() or "ja"
    columns: list[dict[str, Any]] = [
        {
            "key": column.key,
            "label": column.label(lang),
            "type": column.type,
            "choices": [[key, _pick(ja, en)] for key, ja, en in column.choices],
        }
        for column in rules.COLUMNS.values()
    ]
    columns += [
        {
            "key": f"own.{own.key}",
            "label": _pick(own.label_ja, own.label_en),
            "type": own.type,
            "choices": [_choice(item) for item in own.choices],
        }
        for own in Field.objects.order_by("id")
    ]
    people = [[user.id, user.name] for user in User.objects.filter(is_active=True).order_by("name")]
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


def _control(name: str, control: str, label: str = "", **more: Any) -> dict[str, Any]:
    return {"name": name, "control": control, "label": label, **more}


def _leaves(without_segment: int | None) -> list[dict[str, Any]]:
    """Each leaf type that can be added, with a fresh instance and its controls in reading order."""
    models = [
        [model.key, _pick(model.name, model.name_en or model.name)] for model in PhaseModel.objects.order_by("id")
    ]
    phases: dict[str, Options] = {}
    for one in Phase.objects.select_related("model").order_by("model_id", "position"):
        phases.setdefault(one.model.key, []).append([one.key, _pick(one.name, one.name_en or one.name)])
    shown = [segment for segment in segments.active() if segment.id != without_segment]
    tags = LeadTag.objects.values_list("tag", flat=True).distinct().order_by("tag")[:SHOWN_OBJECTS]
    first_model = models[0][0] if models else ""
    groups = [[key, _pick(ja, en)] for key, (ja, en, _keys) in rules.GROUPS.items()]
    found = [
        _leaf(
            "activity",
            _("行動の回数"),
            {"kinds": ["page_view"], "at_least": 1, "days": 30},
            [
                _control("days", "number", _("期間（日・空は全期間）"), optional=True, min=1),
                _control("kinds", "multi", _("行動"), options=_acts()),
                _control("page_categories", "multi", _("ページの分類"), options=_two(CATEGORIES)),
                _control("form_kinds", "multi", _("フォームの種類"), options=_two(rules.FORM_KINDS)),
                _control("objects", "objects", _("対象"), tables=_objects(), kinds=_kind_tables()),
                _control("at_least", "number", _("回以上"), min=1, after=True),
            ],
        ),
        _leaf(
            "recency",
            _("最近の行動"),
            {"group": "any", "days": 90, "idle": True},
            [
                _control("days", "number", _("日間"), min=1, after=True),
                _control("group", "select", "", options=groups),
                _control("idle", "bool", "", options=[[True, _("がない")], [False, _("がある")]]),
            ],
        ),
        _leaf("field", _("リードの項目"), {"field": "rank", "op": "is", "value": "manager"}, []),
        _leaf(
            "company",
            _("企業"),
            {"industries": []},
            [
                _control(
                    "industries", "multi", _("業種"), options=[[i.key, _pick(i.ja, i.en)] for i in INDUSTRIES.values()]
                ),
                _control("sales_from", "oku", _("売上（億円）以上"), optional=True),
                _control("sales_below", "oku", _("未満"), optional=True),
                _control("employees_gte", "number", _("従業員数 以上"), optional=True, min=0),
                _control("employees_lte", "number", _("以下"), optional=True, min=0),
                _control("prefectures", "texts", _("都道府県")),
            ],
        ),
        _leaf(
            "source",
            _("獲得ソース"),
            {"ids": [], "types": []},
            [
                _control("types", "multi", _("種類"), options=_source_types()),
                _control("ids", "multi", _("ソース"), options=_named(Source)),
            ],
        ),
        _leaf(
            "tag",
            _("タグ"),
            {"tags": []},
            [_control("tags", "texts", _("どれかが付いている"), options=[[t, t] for t in tags])],
        ),
        _leaf(
            "known_since",
            _("登録からの日数"),
            {"days": 30, "within": True},
            [
                _control("days", "number", _("日"), min=1, after=True),
                _control("within", "bool", "", options=[[True, _("以内")], [False, _("以上")]]),
            ],
        ),
        _leaf(
            "consent",
            _("配信同意"),
            {"granted": True},
            [_control("granted", "bool", _("メール配信の同意が"), options=[[True, _("ある")], [False, _("ない")]])],
        ),
        _leaf(
            "deal",
            _("商談"),
            {"outcome": "open"},
            [_control("outcome", "select", _("次の商談がある"), options=_two(rules.OUTCOMES))],
        ),
    ]
    if ScoreModel.objects.exists():
        found.append(
            _leaf(
                "score",
                _("スコア"),
                {"side": "total", "gte": 10},
                [
                    _control(
                        "side",
                        "select",
                        "",
                        options=[["total", _("合計")], ["attribute", _("属性")], ["behaviour", _("行動")]],
                    ),
                    _control("gte", "number", _("点以上"), optional=True, after=True),
                    _control("lte", "number", _("点以下"), optional=True, after=True),
                    _control("reached", "check", _("基準に到達")),
                ],
            )
        )
    if models:
        found.append(
            _leaf(
                "phase",
                _("フェーズ"),
                {"model": first_model, "phases": phases.get(first_model, [])[0][:1]},
                [
                    _control("model", "select", "", options=models),
                    _control("phases", "multi", _("フェーズ"), by="model", options_by=phases),
                    _control("days", "number", _("日以上（空は問わない）"), optional=True, min=1, after=True),
                ],
            )
        )
    if shown:
        found.append(
            _leaf(
                "segment",
                _("セグメント"),
                {"segment": shown[0].id},
                [_control("segment", "select", "", options=[[one.id, one.name] for one in shown], number=True)],
            )
        )
    return found


def _leaf(key: str, label: str, fresh: dict[str, Any], controls: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": key, "label": label, "fresh": {"type": key, **fresh}, "controls": controls}


def _two(table: dict[str, tuple[str, str]]) -> Options:
    return [[key, _pick(ja, en)] for key, (ja, en) in table.items()]


def _named(model: Any) -> Options:
    return [[one.id, one.name] for one in model.objects.order_by("-id")[:SHOWN_OBJECTS]]


def _acts() -> Options:
    return [
        [kind.key, _pick(kind.label_ja, kind.label_en)]
        for kind in ledger_kinds.every()
        if kind.group in ACT_GROUPS and kind.key not in ("dwell", "scroll", "visitor_joined")
    ]


def _kind_tables() -> dict[str, str]:
    return {kind.key: kind.object for kind in ledger_kinds.every() if kind.object}


def _objects() -> dict[str, Options]:
    pages = Page.objects.order_by("-first_seen_at")[:SHOWN_OBJECTS]
    return {
        "page": [[page.id, page.title or page.url] for page in pages],
        "content": [[one.id, one.title] for one in Content.objects.order_by("-id")[:SHOWN_OBJECTS]],
        "form": _named(Form),
        "message": _named(Message),
        "source": _named(Source),
    }


def _source_types() -> Options:
    return [[key, str(label)] for key, label in source_rules.SOURCE_TYPES.items()]
