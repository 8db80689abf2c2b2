"""The kinds of activity: each room registers its own from `config/wiring.py`. Codes are stored: they never change."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """`icon` is a Tabler icon name; `object` the table that object_id points to ('' = none); `unit` that of `amount`.

    `group` is the timeline filter it belongs to: web, mail, form, seminar, call, lead, qualify, scenario, deal.
    What it says of the person: `own`, they did it themselves ("last active"); `doubtful`, machines do it in their place;
    `contact`, they and our staff have talked; `evidence`, what a seller asks for first (1), next ... (0: nothing).
    """

    code: int
    key: str
    label_ja: str
    label_en: str
    icon: str
    group: str
    object: str = ""
    unit: str = ""
    own: bool = False
    doubtful: bool = False
    contact: bool = False
    evidence: int = 0


_BY_CODE: dict[int, Kind] = {}
_BY_KEY: dict[str, Kind] = {}


def register(*kinds: Kind) -> None:
    """Add kinds to the house; the same code or key twice for different kinds is a ValueError."""
    for kind in kinds:
        if _BY_CODE.get(kind.code, kind) != kind or _BY_KEY.get(kind.key, kind) != kind:
            raise ValueError(f"activity kind {kind.code} {kind.key} is registered twice")
        _BY_CODE[kind.code] = _BY_KEY[kind.key] = kind


def by_code(code: int) -> Kind:
    return _BY_CODE[code]


def by_key(key: str) -> Kind:
    return _BY_KEY[key]


def own() -> list[Kind]:
    """The kinds that are the person's own acts."""
    return [kind for kind in every() if kind.own]


def doubtful() -> list[Kind]:
    """The kinds of acts that machines do in people's place: each may carry a verdict."""
    return [kind for kind in every() if kind.doubtful]


def evidence() -> list[Kind]:
    """The kinds that speak for a person, the strongest first."""
    return sorted((kind for kind in every() if kind.evidence), key=lambda kind: kind.evidence)


def every() -> list[Kind]:
    """All kinds in code order."""
    return [_BY_CODE[code] for code in sorted(_BY_CODE)]
