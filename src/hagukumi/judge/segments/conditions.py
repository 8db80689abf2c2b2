"""The condition language: a typed tree of `all | any | not` and leaves, each of which knows its set, causes and words.

A document is JSON: {"schema": 1, "type": "all", "items": [{"type": "tag", "tags": ["展示会"]}, ...]}. Rooms above add
leaf types with `register`, from config/wiring.py. SQL is composed by psycopg.sql only, in `segments.compiler`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, LiteralString, Self, TypeVar

from psycopg import sql
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SerializeAsAny, ValidationError, model_validator

from hagukumi.judge.segments.controls import Offer
from hagukumi.ledger import kinds
from hagukumi.ledger.causes import Cause

SCHEMA = 1
MAX_LEAVES = 60
MAX_DEPTH = 6
BIRTH = ("lead_created", "lead_imported", "lead_merged", "visitor_joined")
"""Kinds after which every condition must be asked again: the person, or the person's history, is new."""


class ConditionError(ValueError):
    """The tree is not one we can evaluate. The message is in Japanese or English, as the reader's language is."""


@dataclass(frozen=True)
class Moment:
    """As of when a condition is asked, and of whom: `scope` is a SELECT of lead_id, None = everybody.

    `by_index`: the scope is a batch of the beat, and each table is to be read by its leads (`ledger.by_index`).
    """

    now: datetime
    scope: sql.Composable | None = None
    by_index: bool = False

    def rows(self, table: LiteralString, alias: LiteralString, bounds: sql.Composable | None = None) -> sql.Composable:
        """`table alias` for a FROM: the rows of a lead-owned table within the scope, and within `bounds` of its key.

        By index they are fenced off (OFFSET 0), so that no other column can lead the planner to another index; acts are
        read from the beat's copy (`ledger.beats.gather`).
        """
        if self.by_index and table == "activity":
            return self._gathered("act", alias, bounds)
        if self.scope is None and bounds is None:
            return sql.SQL("{} {}").format(sql.SQL(table), sql.SQL(alias))
        within = [] if bounds is None else [bounds]
        if self.scope is not None:
            test = sql.SQL("lead_id = ANY(ARRAY({}))" if self.by_index else "lead_id IN ({})")
            within.append(test.format(self.scope))
        fence = sql.SQL(" OFFSET 0" if self.by_index else "")
        return sql.SQL("(SELECT * FROM {} WHERE {}{}) {}").format(
            sql.SQL(table), sql.SQL(" AND ").join(within), fence, sql.SQL(alias)
        )

    def ahead(self, alias: LiteralString) -> sql.Composable:
        """As `rows` of `activity`: what a skewed clock has dated after now."""
        if self.by_index:
            return self._gathered("act_ahead", alias, None)
        return self.rows("activity", alias, sql.SQL("at > {}").format(literal(self.now)))

    def _gathered(self, table: LiteralString, alias: LiteralString, bounds: sql.Composable | None) -> sql.Composable:
        tests = [test for test in (bounds, self.scope and sql.SQL("lead_id IN ({})").format(self.scope)) if test]
        return sql.SQL("(SELECT * FROM {} WHERE {}) {}").format(
            sql.SQL(table), sql.SQL(" AND ").join(tests or [sql.SQL("true")]), sql.SQL(alias)
        )


@dataclass(frozen=True)
class Evidence:
    """One fact that speaks for an answer: what it was and when (None: a value that the lead has now)."""

    text: str
    at: datetime | None = None


def literal(value: Any) -> sql.Composable:
    """A literal that may stand in a slot of a named query: `%`, `{` and `}` in a text are written as chr()."""
    if isinstance(value, list | tuple):
        return sql.SQL("ARRAY[{}]").format(sql.SQL(", ").join(literal(item) for item in value))
    if not isinstance(value, str) or not set(value) & set("%{}"):
        return sql.Literal(value)
    parts: list[sql.Composable] = []
    run = ""
    for character in value:
        if character in "%{}":
            parts += [sql.Literal(run), sql.SQL("chr({})").format(sql.Literal(ord(character)))]
            run = ""
        else:
            run += character
    parts.append(sql.Literal(run))
    return sql.SQL("({})").format(sql.SQL(" || ").join(parts))


class Condition(BaseModel):
    """A node of the tree. A leaf has one of: `column` (a test on `lead l`), `matching` (a set), `expand` (nodes)."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    type: str
    label_ja: ClassVar[str] = ""
    label_en: ClassVar[str] = ""
    selects: ClassVar[bool] = False
    """Whether `column` holds a sub-select."""
    tables: ClassVar[frozenset[str]] = frozenset()
    """Definition tables whose change may change the answer without a fact about a lead (page, form, source)."""

    def children(self) -> list["Condition"]:
        return []

    def expand(self) -> "Condition":
        """The simpler tree that this leaf stands for; itself where it has SQL of its own."""
        return self

    def column(self, moment: Moment) -> sql.Composable | None:
        """A boolean over the row `lead l`, or None where the answer is a set."""
        return None

    def matching(self, moment: Moment) -> sql.Composable:
        """SELECT lead_id of those for whom this holds, within the scope; may repeat a lead."""
        raise NotImplementedError(self.type)

    def kinds(self) -> frozenset[int]:
        """Codes of the activity kinds that can change the answer."""
        return frozenset()

    def causes(self) -> list[Cause]:
        """The facts that can change the answer, by kind and object; where not told, of its kinds about anything."""
        return [Cause(self.kinds())] if self.kinds() else []

    def due(self, moment: Moment) -> sql.Composable | None:
        """SELECT lead_id, due_at: when, after now, time alone may change the answer; None where it cannot."""
        return None

    def points_to(self) -> list[tuple[str, int]]:
        """(table, id) of the definitions that it names: whoever puts one of them away is told who uses it."""
        return []

    def check(self) -> None:
        """ConditionError where the leaf names something that does not exist."""

    def clause(self, language: str) -> str:
        """A proposition about the lead, in words: 「タグ「展示会」が付いている」, `has the tag "Expo"`."""
        raise NotImplementedError(self.type)

    def evidence(self, lead_id: int, now: datetime) -> list[Evidence]:
        """At most three facts behind the answer for one lead."""
        return []

    @classmethod
    def offer(cls) -> Offer | None:
        """How the builder offers this leaf, in the reader's language; None where it does not."""
        return None


Tree = Condition | Mapping[str, Any]
"""A tree, or the JSON document of one."""


_LEAVES: dict[str, type[Condition]] = {}
Leaf = TypeVar("Leaf", bound=type[Condition])


def register(leaf: Leaf) -> Leaf:
    """Add a leaf type to the language (usable as a decorator); a type taken by another class is a ValueError."""
    key: str = leaf.__pydantic_fields__["type"].default
    if _LEAVES.get(key, leaf) is not leaf:
        raise ValueError(f"condition type {key} is registered twice")
    _LEAVES[key] = leaf
    return leaf


def leaves() -> dict[str, type[Condition]]:
    """Every node type by key."""
    return dict(_LEAVES)


def _node(data: Any) -> Condition:
    if isinstance(data, Condition):
        return data
    if not isinstance(data, dict) or not isinstance(data.get("type"), str):
        raise ValueError(words("条件の形が正しくありません", "this is not a condition"))
    leaf = _LEAVES.get(data["type"])
    if leaf is None:
        raise ValueError(
            words(f"条件の種類「{data['type']}」はありません", f'there is no condition type "{data["type"]}"')
        )
    return leaf.model_validate(data)


Node = Annotated[SerializeAsAny[Condition], BeforeValidator(_node)]


@register
class All(Condition):
    type: Literal["all"] = "all"
    items: list[Node] = Field(default_factory=list, max_length=MAX_LEAVES)

    def children(self) -> list[Condition]:
        return list(self.items)

    def clause(self, language: str) -> str:
        if not self.items:
            return "登録されている" if language == "ja" else "they are known"
        return joined(self, "、かつ", " and ", language)


@register
class AnyOf(Condition):
    type: Literal["any"] = "any"
    items: list[Node] = Field(min_length=1, max_length=MAX_LEAVES)

    def children(self) -> list[Condition]:
        return list(self.items)

    def clause(self, language: str) -> str:
        return joined(self, "、または", " or ", language)


_NEGATED = (
    ("が1回以上ある", "がない"),
    ("回以上ある", "回以上はない"),
    ("である", "ではない"),
    ("がある", "がない"),
    ("ている", "ていない"),
    ("いる", "いない"),
)
"""How a Japanese clause ends, and how its denial does; anything else is denied by quoting it."""


@register
class Not(Condition):
    type: Literal["not"] = "not"
    item: Node

    def children(self) -> list[Condition]:
        return [self.item]

    def clause(self, language: str) -> str:
        inner = self.item.clause(language)
        if language != "ja":
            return f"it is not so that {inner}"
        if not self.item.children():
            for ending, negated in _NEGATED:
                if inner.endswith(ending):
                    return inner.removesuffix(ending) + negated
        return f"「{inner}」に当てはまらない"


class RangeMixin(BaseModel):
    """`gte` and `lte` bound a number, both inclusive; at least one is given."""

    gte: int | None = None
    lte: int | None = None

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.gte is None and self.lte is None:
            raise ValueError(words("以上か以下のどちらかを入れてください", "give a lower or an upper bound"))
        return self

    def test(self, column: str) -> sql.Composable:
        tests = [sql.SQL("{} >= {}").format(sql.SQL(column), literal(self.gte))] if self.gte is not None else []
        if self.lte is not None:
            tests.append(sql.SQL("{} <= {}").format(sql.SQL(column), literal(self.lte)))
        return sql.SQL(" AND ").join(tests)

    def bounds(self, language: str, unit: str = "") -> str:
        low = f"{self.gte:,}{unit}" if self.gte is not None else ""
        high = f"{self.lte:,}{unit}" if self.lte is not None else ""
        if language == "ja":
            return f"{low}以上{high}以下" if low and high else f"{low}以上" if low else f"{high}以下"
        return f"between {low} and {high}" if low and high else f"at least {low}" if low else f"at most {high}"


def joined(group: Condition, ja: str, en: str, language: str) -> str:
    """The children's clauses with the connecting word between; a group inside a group stands in brackets."""
    left, right = ("（", "）") if language == "ja" else ("(", ")")
    parts = []
    for child in group.children():
        inner = child.clause(language)
        apart = len(child.children()) > 1 and len(group.children()) > 1 and child.type != group.type
        parts.append(f"{left}{inner}{right}" if apart else inner)
    return (ja if language == "ja" else en).join(parts)


def parse(document: Any) -> Condition:
    """The tree of a JSON document; ConditionError with the reason where it is not one."""
    if isinstance(document, Condition):
        return document
    if isinstance(document, dict):
        schema = document.get("schema", SCHEMA)
        if schema != SCHEMA:
            raise ConditionError(words(f"条件の版 {schema} は読めません", f"condition schema {schema} is unknown"))
        document = {key: value for key, value in document.items() if key != "schema"}
    if depth_of(document) > MAX_DEPTH:
        raise ConditionError(words(f"入れ子は{MAX_DEPTH}段までです", f"at most {MAX_DEPTH} levels of nesting"))
    try:
        tree = _node(document)
    except ValidationError as error:
        raise ConditionError(_reason(error)) from error
    except ValueError as error:
        raise ConditionError(str(error)) from error
    if sum(1 for _ in walk(tree)) > MAX_LEAVES * 2:
        raise ConditionError(words("条件が多すぎます", "there are too many conditions"))
    return tree


def depth_of(document: Any) -> int:
    """How deep a JSON document nests, counted without recursion, so that a hostile one cannot exhaust the stack."""
    deepest, stack = 0, [(document, 1)]
    while stack:
        node, depth = stack.pop()
        deepest = max(deepest, depth)
        if depth > MAX_DEPTH or not isinstance(node, dict):
            continue
        items = node.get("items")
        below = [*(items if isinstance(items, list) else []), node.get("item")]
        stack += [(item, depth + 1) for item in below if isinstance(item, dict)]
    return deepest


def dump(tree: Condition) -> dict[str, Any]:
    """The JSON document of a tree, as it is stored."""
    return {"schema": SCHEMA, **tree.model_dump(mode="json", by_alias=True)}


def walk(tree: Condition) -> Iterator[Condition]:
    """The tree's nodes, parents first; leaves are not expanded."""
    yield tree
    for child in tree.children():
        yield from walk(child)


def codes(keys: tuple[str, ...] | list[str]) -> frozenset[int]:
    """Activity kind codes of kind keys."""
    return frozenset(kinds.by_key(key).code for key in keys)


def words(ja: str, en: str) -> str:
    """The text in the reader's language."""
    from django.utils.translation import get_language

    return en if (get_language() or "ja").startswith("en") else ja


def language() -> str:
    return words("ja", "en")


def _reason(error: ValidationError) -> str:
    first = error.errors()[0]
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, ValidationError):
        return _reason(cause)
    if cause is not None:
        return str(cause)
    where = ".".join(str(part) for part in first["loc"])
    return words(f"条件に足りないところか間違いがあります（{where}）", f"a part is missing or wrong ({where})")
