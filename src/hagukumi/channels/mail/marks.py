"""Marks: each expression of a template becomes a word that markup, MJML and CSS inlining leave alone."""

import re

from django.utils.translation import gettext

from .expressions import EXPRESSION, TemplateProblemError
from .rules import BY_NAME

_BARE_NAME = re.compile(r"\{\{-?\s*([^\W\d]\w*)\s*-?\}\}")
MARK = re.compile(r"hgkm(\d{4})mkgh")


class Marks:
    """Keeps `{{ … }}` safe from markup, MJML and CSS inlining: each becomes a word that none of them touches."""

    def __init__(self, language: str) -> None:
        self._kept: list[str] = []
        self._language = language

    def protect(self, text: str) -> str:
        return EXPRESSION.sub(self._keep, text)

    def restore(self, text: str) -> str:
        return MARK.sub(lambda found: self._kept[int(found[1])], text)

    def must_be_in(self, html: str, source: str) -> None:
        for found in MARK.finditer(source):
            if found[0] not in html and not self._kept[int(found[1])].startswith("{#"):
                raise TemplateProblemError(
                    gettext("「%(text)s」が本文に現れません。mj-text などの要素の中に書いてください。")
                    % {"text": self._kept[int(found[1])]}
                )

    def _keep(self, found: re.Match[str]) -> str:
        return self._put(_BARE_NAME.sub(self._with_fallback, found[0]))

    def _put(self, expression: str) -> str:
        self._kept.append(expression)
        return f"hgkm{len(self._kept) - 1:04d}mkgh"

    def _with_fallback(self, found: re.Match[str]) -> str:
        variable = BY_NAME.get(found[1])
        fallback = variable.fallback_in(self._language) if variable else ""
        return f'{{{{ {found[1]}|default("{fallback}") }}}}' if fallback else found[0]

    def in_address(self, url: str) -> str:
        """The address with its values percent-encoded, and one that is a value as a whole held to be an address."""

        def encoded(found: re.Match[str]) -> str:
            kept = self._kept[int(found[1])]
            if not kept.startswith("{{"):
                return found[0]
            use = "_link" if found.start() == 0 else "_url"
            return self._put(f"{{{{ ({kept[2:-2].strip('-').strip()})|{use} }}}}")

        return MARK.sub(encoded, url)
