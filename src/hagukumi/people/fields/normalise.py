"""From the cells of a file to rows that can be merged: whole columns at a time, in polars.

What is the same rule for one value is in `kit.ja`; here it runs over columns. Rules that only Python knows (names,
titles, companies, odd telephone numbers) run once per distinct value and are remembered over the batches of a file.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

import polars as pl

from hagukumi.kit import clock, ja

from . import mapping as mappings

LIMITS = {key: target.limit for key, target in mappings.TARGETS.items() if target.limit}
COLUMNS = (
    "last_name",
    "first_name",
    "last_kana",
    "first_kana",
    "company_name",
    "department",
    "title",
    "rank",
    "email",
    "phone",
    "phone_extension",
    "mobile",
    "postal_code",
    "prefecture",
    "address",
    "issue",
    "timeframe",
    "place",
)
"""The text columns of `lead` that a row may carry, as `incoming` holds them."""
_REMEMBERED = 200_000
_BLANKS = ("Select", "-", "－", "―", "ー", "N/A", "n/a")
_YES = ("yes", "y", "1", "true", "はい", "停止", "不可", "○", "◯", "有")
_ATTENDED = ("出席", "参加", "参加済", "参加済み", "○", "◯", "attended", "yes", "1", "当日参加", "オンライン参加")
_ABSENT = ("欠席", "不参加", "×", "absent", "no", "0", "キャンセル", "no show")


@dataclass(frozen=True)
class Reject:
    """A row that is not taken in, as it was; `reason` is a key of `rules.REASONS`, `column` the heading it is about."""

    row_no: int
    raw: dict[str, str]
    reason: str
    column: str = ""
    value: str = ""


@dataclass(frozen=True)
class Notice:
    """A cell that was left out of a row that was taken in: it says nothing that its column could hold."""

    row_no: int
    reason: str
    column: str
    value: str


class Normal(NamedTuple):
    """What became of a batch: `rows` for `incoming`, rows rejected, cells left out."""

    rows: pl.DataFrame
    rejects: list[Reject]
    notices: list[Notice]


@dataclass
class Normaliser:
    """Turns batches of one file into rows of `incoming`; `columns` maps its `header` to targets."""

    header: Sequence[str]
    columns: Mapping[str, str]
    _known: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._places = mappings.places(self.header, self.columns)

    def __call__(self, frame: pl.DataFrame) -> Normal:
        """The rows of a frame with `row_no` and c0..cn."""
        picked = self._plain(frame.select("row_no", *self._picks()))
        has = set(picked.columns)
        rows = self._identify(self._needs(self._person(self._reach(picked, has), has), has))
        reasons = self._reasons(frame, picked, rows)
        bad = reasons.filter(pl.col("reason") != "")
        if bad.height:
            rows = rows.filter(reasons["reason"] == "")
        return Normal(self._leaders(rows), self._rejects(frame, bad), self._notices(frame, picked, rows))

    def _picks(self) -> list[pl.Expr]:
        picks = []
        for target, places in self._places.items():
            cells = [pl.col(f"c{place}").str.strip_chars() for place in places]
            cells = [pl.when(cell.is_in(_BLANKS)).then(pl.lit("")).otherwise(cell) for cell in cells]
            pick = cells[-1]
            for cell in reversed(cells[:-1]):
                pick = pl.when(cell != "").then(cell).otherwise(pick)
            picks.append(pick.alias(target))
        return picks

    def _plain(self, picked: pl.DataFrame) -> pl.DataFrame:
        """Marks that nobody sees, and the apostrophe of our own exports before what looks like a formula, go."""
        for target in picked.columns[1:]:
            cells = picked[target]
            if target not in _PROSE and cells.str.contains(ja.UNSEEN).any():
                cells = cells.str.replace_all(ja.UNSEEN, "").str.strip_chars()
            if cells.str.starts_with("'").any():
                cells = self._each(cells, ja.unescape_formula, f"{target} escaped")
            picked = picked.with_columns(cells.alias(target))
        return picked

    def _reach(self, picked: pl.DataFrame, has: set[str]) -> pl.DataFrame:
        """Address, telephone numbers, postal code and prefecture."""
        rows = picked
        if "email" in has:
            rows = self._email(rows)
        for target in ("phone", "mobile"):
            if target in has:
                rows = self._phone(rows, target)
        if "postal_code" in has:
            rows = rows.with_columns(self._each(rows["postal_code"], ja.postal_code))
        if "prefecture" in has:
            rows = rows.with_columns(self._each(rows["prefecture"], ja.prefecture_name))
        if has & {"address", "postal_code"} and "prefecture" not in has:
            address = pl.col("address") if "address" in has else pl.lit("")
            named = address.str.extract(f"^({'|'.join(ja.PREFECTURES)})").fill_null("")
            rows = rows.with_columns(named.alias("prefecture"))
            if not (rows["prefecture"] != "").all():
                rows = self._place(rows, has)
        return rows

    def _place(self, rows: pl.DataFrame, has: set[str]) -> pl.DataFrame:
        pair = pl.concat_str(
            pl.col("address") if "address" in has else pl.lit(""),
            pl.col("postal_code") if "postal_code" in has else pl.lit(""),
            separator="\x1f",
        )
        found = self._each(
            rows.select(pair.alias("place"))["place"], lambda both: ja.prefecture(*both.split("\x1f")), "place"
        )
        return rows.with_columns(found.alias("prefecture"))

    def _email(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The common shape by pattern; the rest, once per distinct value, by `kit.ja.email`."""
        typed = pl.col("email")
        common = typed.str.contains(r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+[A-Za-z]$")
        odd = rows.filter(~common & (typed != ""))["email"].unique().to_list()
        mail = typed.str.to_lowercase()
        return rows.with_columns(
            (
                mail
                if not odd
                else pl.when(common).then(mail).otherwise(typed.replace({one: ja.email(one) for one in odd}))
            ).alias("email")
        )

    def _phone(self, rows: pl.DataFrame, target: str) -> pl.DataFrame:
        """The common Japanese shapes by pattern; the rest, once per distinct value, by `kit.ja.phone`."""
        digits = pl.col(target).str.normalize("NFKC").str.replace_all(r"[\s\-‐‑‒–—―−ーｰ()]", "")
        common = digits.str.contains(r"^0(?:[1-9][0-9]{8}|[5789]0[0-9]{8})$")
        rows = rows.with_columns(
            pl.when(common).then(pl.lit("+81") + digits.str.slice(1)).otherwise(None).alias("_number")
        )
        odd = rows.filter(pl.col("_number").is_null() & (pl.col(target) != ""))[target].unique().to_list()
        parts = {typed: ja.phone(typed) for typed in odd}
        numbers = {typed: found[0] for typed, found in parts.items()}
        extra = {typed: found[1] for typed, found in parts.items()}
        typed = pl.col(target)
        number = pl.coalesce(pl.col("_number"), typed.replace(numbers) if odd else typed)
        columns = [number.alias(target)]
        if target == "phone":
            columns.append((typed.replace_strict(extra, default="") if odd else pl.lit("")).alias("phone_extension"))
        return rows.with_columns(columns).drop("_number")

    def _person(self, rows: pl.DataFrame, has: set[str]) -> pl.DataFrame:
        """Name, reading, company, rank."""
        if "full_name" in has:
            rows = self._split(rows, "full_name", "last_name", "first_name", ja.person)
        if "full_kana" in has:
            rows = self._split(rows, "full_kana", "last_kana", "first_kana", ja.person)
        for target in ("last_kana", "first_kana"):
            if target in rows.columns:
                rows = rows.with_columns(pl.col(target).str.normalize("NFKC").str.replace_many(ja.HIRAGANA))
        if "company_name" in has:
            found = self._each(rows["company_name"], _company, "company")
            rows = rows.with_columns(
                found.str.split("\x1f").list.get(0).str.slice(0, 200).alias("company_key"),
                found.str.split("\x1f").list.get(1).alias("legal_form"),
                found.str.split("\x1f").list.get(2).alias("form_position"),
                found.str.split("\x1f").list.get(3).str.slice(0, 200).alias("company_core"),
            )
        if "title" in has:
            rows = rows.with_columns(self._each(rows["title"], ja.rank, "rank").alias("rank"))
        return rows

    def _split(
        self, rows: pl.DataFrame, whole: str, last: str, first: str, rule: Callable[[str], ja.PersonName]
    ) -> pl.DataFrame:
        """Fill the empty halves from the whole."""
        both = self._each(rows[whole], lambda text: f"{rule(text).last}\x1f{rule(text).first}", whole).str.split("\x1f")
        halves = []
        for place, half in enumerate((last, first)):
            part = both.list.get(place)
            old = rows[half] if half in rows.columns else pl.Series([""]).new_from_index(0, rows.height)
            halves.append(pl.select(pl.when(old != "").then(old).otherwise(part).alias(half)).to_series())
        return rows.with_columns(halves).drop(whole)

    def _needs(self, rows: pl.DataFrame, has: set[str]) -> pl.DataFrame:
        """Facts and needs: attendance, date, number of users, tags, refusal of mail, own fields."""
        if "seminar" in has:
            word = pl.col("seminar").str.to_lowercase()
            attended = pl.when(word.is_in(_ATTENDED)).then(pl.lit("attended"))
            rows = rows.with_columns(
                attended.when(word.is_in(_ABSENT)).then(pl.lit("absent")).otherwise(pl.lit("")).alias("seminar")
            )
        if "occurred_at" in has:
            rows = rows.with_columns(self._each(rows["occurred_at"], _instant, "occurred_at"))
            rows = rows.with_columns(
                pl.when(pl.col("occurred_at") == "").then(None).otherwise(pl.col("occurred_at")).alias("occurred_at")
            )
        if "users_expected" in has:
            digits = pl.col("users_expected").str.normalize("NFKC").str.replace_all(r"[,\s名人]", "")
            number = digits.cast(pl.Int32, strict=False)
            rows = rows.with_columns(pl.when(number >= 0).then(number).alias("users_expected"))
        if "no_mail" in has:
            rows = rows.with_columns(pl.col("no_mail").str.to_lowercase().is_in(_YES).alias("no_mail"))
        own = sorted(target for target in has if target.startswith("field:"))
        if own:
            keys = [target.removeprefix("field:") for target in own]
            packed = [
                json.dumps({key: value for key, value in zip(keys, values, strict=True) if value}, ensure_ascii=False)
                for values in rows.select(own).iter_rows()
            ]
            rows = rows.with_columns(pl.Series("fields", packed, dtype=pl.String)).drop(own)
        return rows

    def _identify(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The keys a person is known by, and the tier of the best: 1 address, 2 id, 3 telephone, 4 name, 0 none."""
        has = set(rows.columns)

        def column(name: str) -> pl.Expr:
            return pl.col(name) if name in has else pl.lit("")

        name = pl.concat_str(column("last_name"), column("first_name")).str.normalize("NFKC").str.to_lowercase()
        rows = rows.with_columns(name.str.replace_all(r"\s+", "").str.replace_many(ja.VARIANTS).alias("name_key"))
        local = column("email").str.extract(r"^([^@]+?)[0-9]*@", 1).fill_null("")
        shared = local.is_in(sorted(ja.ROLE_PARTS)) & (pl.col("name_key") != "")
        mail = column("email")
        rows = rows.with_columns(
            pl.when(mail == "")
            .then(pl.lit(""))
            .when(shared)
            .then(pl.lit("email_name"))
            .otherwise(pl.lit("email"))
            .alias("email_kind"),
            pl.when(shared)
            .then(mail + " " + pl.col("name_key"))
            .otherwise(mail)
            .str.slice(0, 254)
            .alias("email_value"),
            *[self._phone_key(column(target)).alias(f"{target}_key") for target in ("phone", "mobile")],
        )
        tier = (
            pl.when(pl.col("email_value") != "")
            .then(1)
            .when(column("crm") != "")
            .then(2)
            .when((pl.col("phone_key") != "") | (pl.col("mobile_key") != ""))
            .then(3)
            .when((pl.col("name_key") != "") & (column("company_key") != ""))
            .then(4)
            .otherwise(0)
        )
        return rows.with_columns(tier.cast(pl.Int16).alias("tier"))

    @staticmethod
    def _phone_key(number: pl.Expr) -> pl.Expr:
        usable = number.str.starts_with("+") & (pl.col("name_key") != "")
        return pl.when(usable).then(number + " " + pl.col("name_key")).otherwise(pl.lit("")).str.slice(0, 254)

    @staticmethod
    def _leaders(rows: pl.DataFrame) -> pl.DataFrame:
        """`leader`: the first row of this batch with the same strongest key."""
        key = (
            pl.when(pl.col("tier") == 1)
            .then(pl.col("email_value"))
            .when(pl.col("tier") == 2)
            .then(pl.col("crm") if "crm" in rows.columns else pl.lit(""))
            .when(pl.col("tier") == 3)
            .then(pl.when(pl.col("phone_key") != "").then(pl.col("phone_key")).otherwise(pl.col("mobile_key")))
            .otherwise(
                pl.concat_str(
                    pl.col("company_key") if "company_key" in rows.columns else pl.lit(""),
                    pl.col("name_key"),
                    separator="\x1f",
                )
            )
        )
        rows = rows.with_columns(key.alias("_key"))
        if rows.select(pl.struct("tier", "_key").n_unique()).item() == rows.height:
            return rows.with_columns(pl.col("row_no").alias("leader")).drop("_key")
        return rows.with_columns(pl.col("row_no").min().over("tier", "_key").alias("leader")).drop("_key")

    def _reasons(self, frame: pl.DataFrame, picked: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
        """Per row: why it is rejected ('' = it is not), and the target it is about."""
        checks: list[tuple[str, str, pl.Series]] = []
        for target in picked.columns[1:]:
            cells = picked[target]
            checks.append(("control", target, cells.str.contains("\x00", literal=True)))
            if limit := LIMITS.get(target, 0 if target != "issue" else 5000):
                checks.append(("too_long", target, cells.str.len_chars() > limit))
        if "email" in picked.columns:
            checks.append(("bad_email", "email", (rows["email"] != "") & ~rows["email"].str.contains(ja.EMAIL)))
            checks.append(("too_long", "email", rows["email"].str.len_bytes() > 254))
        for target in ("last_name", "first_name", "last_kana", "first_kana"):
            if target in rows.columns:
                checks.append(("too_long", target, rows[target].str.len_chars() > 60))
        blank = pl.Series([True]).new_from_index(0, rows.height)
        for cells in frame.iter_columns():
            if cells.name != "row_no" and blank.any():
                blank &= cells.str.strip_chars() == ""
        checks.append(("empty_row", "", blank))
        checks.append(("no_identity", "", rows["tier"] == 0))
        return self._first_reason(frame, [check for check in checks if check[2].any()])

    @staticmethod
    def _first_reason(frame: pl.DataFrame, checks: list[tuple[str, str, pl.Series]]) -> pl.DataFrame:
        reason, target = pl.lit(""), pl.lit("")
        held = frame.select("row_no", *[pl.lit(hit).alias(f"hit{n}") for n, (_, _, hit) in enumerate(checks)])
        for n, (code, about, _) in reversed(list(enumerate(checks))):
            reason = pl.when(pl.col(f"hit{n}")).then(pl.lit(code)).otherwise(reason)
            target = pl.when(pl.col(f"hit{n}")).then(pl.lit(about)).otherwise(target)
        return held.select("row_no", reason.alias("reason"), target.alias("target"))

    def _rejects(self, frame: pl.DataFrame, bad: pl.DataFrame) -> list[Reject]:
        if not bad.height:
            return []
        found = []
        raws = frame.filter(pl.col("row_no").is_in(bad["row_no"].implode()))
        for (row_no, reason, target), (_, *cells) in zip(bad.iter_rows(), raws.iter_rows(), strict=True):
            places = self._places.get(target) or self._places.get(_WHOLE.get(target, ""), [])
            place = next((p for p in places if cells[p].strip()), None)
            column, value = (self.header[place], cells[place]) if place is not None else ("", "")
            found.append(Reject(row_no, self.raw(cells), reason, column[:120], value.replace("\x00", "␀")[:200]))
        return found

    def _notices(self, frame: pl.DataFrame, picked: pl.DataFrame, rows: pl.DataFrame) -> list[Notice]:
        """Cells that say something which their column cannot hold, of the rows that are taken in."""
        found = []
        for target, reason in _LEFT_OUT.items():
            if target not in picked.columns:
                continue
            kept = rows.select("row_no", pl.col(target).cast(pl.String).fill_null("").alias("kept"))
            typed = picked.select("row_no", pl.col(target).alias("typed")).filter(pl.col("typed") != "")
            lost = kept.filter(pl.col("kept") == "").join(typed, on="row_no", how="inner", maintain_order="left")
            for row_no, _, cell in lost.iter_rows():
                column = self.header[self._places[target][0]]
                found.append(Notice(row_no, reason, column[:120], cell.replace("\x00", "␀")[:200]))
        return sorted(found, key=lambda notice: notice.row_no)

    def raw(self, cells: Sequence[str]) -> dict[str, str]:
        """The row as it was, by heading; cells past the last heading under '…'. NUL is made visible."""
        named = dict(zip(self.header, cells, strict=False))
        if rest := [cell for cell in cells[len(self.header) :] if cell]:
            named["…"] = " | ".join(rest)
        return {name: cell.replace("\x00", "␀") for name, cell in named.items()}

    def _each(self, column: pl.Series, rule: Callable[[str], str], memory: str = "") -> pl.Series:
        """Apply a rule once per distinct value."""
        known = self._known.setdefault(memory or column.name, {})
        if len(known) > _REMEMBERED:
            known.clear()
        distinct = column.unique().to_list()
        known.update({value: rule(value) for value in distinct if value not in known})
        return column.replace_strict(distinct, [known[value] for value in distinct], return_dtype=pl.String)


_LEFT_OUT = {
    "phone": "bad_phone",
    "mobile": "bad_phone",
    "postal_code": "bad_postal_code",
    "prefecture": "bad_prefecture",
    "users_expected": "bad_number",
    "occurred_at": "bad_date",
}
"""Columns whose unreadable cell costs the cell and not the person, and how that is said (`rules.REASONS`)."""
_PROSE = ("issue", "booth_talk")
_WHOLE = {"last_name": "full_name", "first_name": "full_name", "last_kana": "full_kana", "first_kana": "full_kana"}


def _company(name: str) -> str:
    found = ja.company(name)
    return f"{found.key}\x1f{found.form}\x1f{found.position}\x1f{found.core}"


def _instant(text: str) -> str:
    """A JST date or time as an ISO instant; '' for none or one that no person of today can mean."""
    found = ja.moment(text)
    if not found or not datetime(2000, 1, 2) <= found <= datetime(2099, 12, 30):  # noqa: DTZ001
        return ""
    return found.replace(tzinfo=clock.JST).astimezone(UTC).isoformat()
