"""The builder's state, as it travels in the page: read from a post, changed by buttons, turned into a definition."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from hagukumi.collect.forms import rules
from hagukumi.collect.forms.models import FormVersion
from hagukumi.kit import answers

TEXTS = (
    "title_ja", "title_en", "lead_ja", "lead_en", "button_ja", "button_en", "thanks_ja", "thanks_en", "redirect",
)  # fmt: skip
MAX_FIELDS = 40
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass
class Row:
    """One question as the builder's inputs hold it; `choices` one a line, `値 | English`."""

    key: str = ""
    type: str = "text"
    label_ja: str = ""
    label_en: str = ""
    required: bool = False
    maps_to: str = ""
    choices: str = ""


@dataclass
class Draft:
    texts: dict[str, str] = field(default_factory=dict)
    consent: str = "none"
    consent_text: str = ""
    rows: list[Row] = field(default_factory=list)

    @classmethod
    def of(cls, version: FormVersion | None) -> "Draft":
        """The draft that shows a stored version."""
        form = answers.definition(version.definition) if version else answers.Definition()
        text = version.consent_text.text if version and version.consent_text else rules.CONSENT_TEXT
        rows = [
            Row(one.key, one.type, one.label_ja, one.label_en, one.required, one.maps_to, _lines(one.choices))
            for one in form.fields
        ]
        return cls({name: getattr(form, name) for name in TEXTS}, form.consent, text, rows)

    @classmethod
    def read(cls, post: Mapping[str, str]) -> "Draft":
        """The draft in a post; what is not ours to read is left out."""
        count = post.get("rows", "0")
        number = min(int(count), MAX_FIELDS) if count.isdecimal() else 0
        consent = post.get("consent", "none")
        return cls(
            {name: post.get(name, "").strip()[:1000] for name in TEXTS},
            consent if consent in ("none", "optional", "required") else "none",
            post.get("consent_text", "").strip()[:4000],
            [_row(post, index) for index in range(number)],
        )

    def act(self, what: str) -> None:
        """Do what a button asks: `add`, `add-<column>`, `up-<n>`, `down-<n>`, `remove-<n>`; else nothing."""
        verb, _, rest = what.partition("-")
        if verb == "add":
            self._add(rest)
        elif rest.isdecimal() and int(rest) < len(self.rows):
            index = int(rest)
            if verb == "remove":
                del self.rows[index]
            elif verb == "up" and index:
                self.rows[index - 1], self.rows[index] = self.rows[index], self.rows[index - 1]
            elif verb == "down" and index + 1 < len(self.rows):
                self.rows[index + 1], self.rows[index] = self.rows[index], self.rows[index + 1]

    def definition(self) -> answers.Definition:
        """The definition that the draft stands for; keys are made unique."""
        keys: set[str] = set()
        fields = []
        for index, row in enumerate(self.rows):
            key = row.key if _KEY.fullmatch(row.key) and row.key not in keys else ""
            key = key or next(name for name in _names(row, index) if name not in keys)
            keys.add(key)
            row.key = key
            choices = _choices(row.choices) if row.type == "select" else ()
            fields.append(answers.Field(key, row.type, row.label_ja, row.label_en, row.required, row.maps_to, choices))
        texts = {**self.texts, "redirect": answers.safe_redirect(self.texts.get("redirect", ""))}
        return answers.Definition(**texts, consent=self.consent, fields=tuple(fields))

    def _add(self, column: str) -> None:
        if len(self.rows) >= MAX_FIELDS:
            return
        if column not in rules.COLUMNS:
            self.rows.append(Row())
            return
        asked = rules.question(column)
        self.rows.append(Row(asked.key, asked.type, asked.label_ja, asked.label_en, maps_to=column))


def _row(post: Mapping[str, str], index: int) -> Row:
    def text(name: str, limit: int = 200) -> str:
        return post.get(f"f{index}-{name}", "").strip()[:limit]

    kind, target = text("type"), text("maps_to")
    known = target in rules.COLUMNS or re.fullmatch(r"fields\.[a-zA-Z0-9_-]{1,40}", target)
    return Row(
        text("key"),
        kind if kind in rules.TYPES else "text",
        text("label_ja"),
        text("label_en"),
        bool(text("required")),
        target if known else "",
        text("choices", 4000),
    )


def _names(row: Row, index: int) -> list[str]:
    base = row.maps_to.removeprefix("fields.").replace("-", "_").lower()
    first = [base] if _KEY.fullmatch(base) else []
    return [*first, *(f"q{number}" for number in range(index + 1, index + MAX_FIELDS * 2))]


def _choices(lines: str) -> tuple[answers.Choice, ...]:
    found = {}
    for line in lines.splitlines():
        japanese, _, english = (part.strip() for part in line.partition("|"))
        if japanese:
            found[japanese] = answers.Choice(japanese, japanese, english)
    return tuple(found.values())


def _lines(choices: tuple[answers.Choice, ...]) -> str:
    return "\n".join(f"{choice.value} | {choice.label_en}" if choice.label_en else choice.value for choice in choices)
