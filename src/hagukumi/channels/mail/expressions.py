"""The `{{ … }}` and `{% … %}` of a template: what they may be, how large, and what is wrong with them."""

import re
from urllib.parse import quote

import minijinja
from django.utils.translation import gettext

from .rules import BY_NAME, FIELDS

EXPRESSION = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_WORDS_IN_QUOTES = re.compile(r"""\"(?:[^"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'""", re.DOTALL)
_FILTER = re.compile(r"\|\s*([^\W\d]\w*)")
_STATEMENT = re.compile(r"\{%[-+]?\s*(\w*)")
_STATEMENTS = frozenset((
    "if", "elif", "else", "endif", "for", "endfor", "set", "endset", "with", "endwith", "raw", "endraw",
))  # fmt: skip
_OPENING = frozenset(("if", "for", "with"))
_FILTERS = frozenset((
    "default", "d", "upper", "lower", "title", "capitalize", "trim", "replace", "length", "count", "int", "float",
    "round", "abs", "first", "last", "join", "urlencode", "escape", "e", "safe", "string", "bool", "list", "sort",
    "unique", "reverse", "min", "max", "sum",
))  # fmt: skip
"""What a mail needs. The others only make text grow without end (`format`, `indent`) or call others by name (`map`)."""
MOST_SOURCE = 100_000
_MOST_EXPRESSION = 500
_MOST_EXPRESSIONS = 2_000
_MOST_NESTED = 20
SEPARATOR = "\x1e"


class TemplateProblemError(ValueError):
    """The template cannot become a mail; the message says where and why, in the language in force."""


def template_words(error: minijinja.TemplateError) -> str:
    detail = {"line": error.line, "detail": error.detail or error.kind}
    return gettext("%(line)s行目の差し込みに誤りがあります（%(detail)s）") % detail


def too_much() -> str:
    """What to say of a template that a confined child could not finish."""
    return gettext(
        "テンプレートの処理が重すぎるか、入れ子が深すぎるため、途中で打ち切りました。短く、簡単にしてください"
    )


def engine() -> minijinja.Environment:
    """A template engine that can do what a mail needs and no more, for so long and no longer."""
    environment = minijinja.Environment()
    environment.fuel = 200_000
    environment.pycompat = False
    for name in ("range", "debug", "dict", "namespace"):
        environment.remove_global(name)
    environment.add_filter("safe", str)  # nobody's data is trusted as HTML
    environment.add_filter("_link", str)
    environment.add_filter("_url", _in_address)
    return environment


def _in_address(value: object) -> str:
    """A value inside a link, percent-encoded: `A&B` and `a+b@` must arrive as they are."""
    return quote(str(value), safe="")


def _limit_problems(part: str) -> list[str]:
    """What is too much or not for a mail, seen before any parser reads it: length, depth, statements, filters.

    The template engine's parser ends the process on deep nesting; no `except` would see that.
    """
    if len(part) > MOST_SOURCE:
        return [gettext("長すぎます（%(n)s 文字まで）") % {"n": f"{MOST_SOURCE:,}"}]
    found = list(EXPRESSION.finditer(part))
    if len(found) > _MOST_EXPRESSIONS:
        return [gettext("差し込みが多すぎます（%(n)s 個まで）") % {"n": f"{_MOST_EXPRESSIONS:,}"}]
    depth = 0
    for one in found:
        line = part.count("\n", 0, one.start()) + 1
        if (problem := _limit_problem(one[0])) is not None:
            return [gettext("%(line)s行目: %(problem)s") % {"line": line, "problem": problem}]
        statement = _STATEMENT.match(one[0])
        depth += bool(statement and statement[1] in _OPENING)
        depth -= bool(statement and statement[1].startswith("end"))
        if depth > _MOST_NESTED:
            return [gettext("%(line)s行目: %(problem)s") % {"line": line, "problem": gettext("入れ子が深すぎます")}]
    return []


def _limit_problem(expression: str) -> str | None:
    if expression.startswith("{#"):
        return None
    if len(expression) > _MOST_EXPRESSION:
        return gettext("差し込みが長すぎます（%(n)s 文字まで）") % {"n": _MOST_EXPRESSION}
    statement = _STATEMENT.match(expression)
    if statement and statement[1] not in _STATEMENTS:
        return gettext("{%% %(name)s %%} は使えません") % {"name": statement[1]}
    bare = _WORDS_IN_QUOTES.sub("''", expression)
    for name in _FILTER.findall(bare):
        if name not in _FILTERS:
            return gettext("「%(name)s」という加工は使えません") % {"name": name}
    return gettext("掛け算は使えません") if "*" in bare else None


def problems_of(part: str, field_keys: frozenset[str] | None) -> list[str]:
    """What is wrong with the expressions of a part, a sentence each. `field_keys`: own fields, None = any."""
    if problems := _limit_problems(part):
        return problems
    environment = engine()
    try:
        environment.add_template("part.html", part)
        environment.render_template("part.html", **{field: {} for field in FIELDS})
    except minijinja.TemplateError as error:
        return [template_words(error)]
    problems = []
    for name in sorted(environment.undeclared_variables_in_str(part, nested=True)):
        first, _dot, rest = name.partition(".")
        known = first in BY_NAME or (first in FIELDS and (field_keys is None or not rest or rest in field_keys))
        if not known:
            line = next((n for n, text in enumerate(part.split("\n"), 1) if name in text), 1)
            detail = {"line": line, "name": name}
            problems.append(gettext("%(line)s行目の「%(name)s」という差し込み項目はありません") % detail)
    return problems


def refuse_problems(*parts: str) -> None:
    """TemplateProblemError with the first thing that is wrong with the expressions of these parts."""
    for part in parts:
        if SEPARATOR in part:
            raise TemplateProblemError(gettext("使えない制御文字が含まれています"))
        if problems := problems_of(part, None):
            raise TemplateProblemError(problems[0])
