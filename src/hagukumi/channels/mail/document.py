"""From marks or MJML to the HTML of a mail: known tags, safe links, styles inlined, the allowlist laid over it."""

import re
from html import unescape

import css_inline
import mrml
from django.utils.translation import gettext

from .allowed import NotAllowedError, only_allowed, without_comments
from .expressions import TemplateProblemError
from .marks import MARK
from .markup import is_mjml, to_mjml

HREF = re.compile(r'(<a\b[^>]*?\bhref=")([^"]*)(")', re.IGNORECASE)
_MJ_TAG = re.compile(r"</?(mj-?[a-z-]*)")
_SAFE_LINK = ("http://", "https://", "mailto:", "tel:", "#")
_TAGS = frozenset(
    [
        "mjml",
        "mj-head",
        "mj-body",
        "mj-attributes",
        "mj-all",
        "mj-class",
        "mj-preview",
        "mj-title",
        "mj-style",
        "mj-font",
        "mj-breakpoint",
        "mj-section",
        "mj-column",
        "mj-group",
        "mj-wrapper",
        "mj-text",
        "mj-button",
        "mj-image",
        "mj-raw",
        "mj-divider",
        "mj-spacer",
        "mj-table",
        "mj-social",
        "mj-social-element",
        "mj-hero",
        "mj-navbar",
        "mj-navbar-link",
    ]
)
_INLINER = css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=True)


def html_of(source: str, subject: str, preheader: str, footer: str, language: str) -> str:
    """The document of a mail. TemplateProblemError for unknown tags, broken MJML, links that lead to no address."""
    if is_mjml(source):
        source = without_comments(source)
    for number, line in enumerate(source.split("\n") if is_mjml(source) else (), 1):
        if unknown := set(_MJ_TAG.findall(line)) - _TAGS:
            raise TemplateProblemError(
                gettext("%(line)s行目の <%(tag)s> は使えません") % {"line": number, "tag": sorted(unknown)[0]}
            )
    try:
        made = mrml.to_html(
            to_mjml(source, subject=subject, preheader=preheader, footer=footer, language=language)
        ).content
    except (OSError, ValueError) as error:
        raise TemplateProblemError(gettext("MJML の書き方に誤りがあります（%(why)s）") % {"why": error}) from error
    for _before, href, _after in HREF.findall(made):
        if href and not unescape(href).lower().startswith(_SAFE_LINK) and not MARK.match(href):
            wrong = gettext("リンク先「%(href)s」は http(s)・mailto・tel のいずれかにしてください")
            raise TemplateProblemError(wrong % {"href": href})
    made = made.replace(' lang="und"', f' lang="{language}"').replace(' dir="auto"', "")
    try:
        return only_allowed(_INLINER.inline(made))
    except NotAllowedError as error:
        raise TemplateProblemError(str(error)) from error
