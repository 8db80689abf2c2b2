"""From the cells of a file to rows that can be merged: whole columns at a time, in polars.

What is the same rule for one value is in `kit.ja`; here it runs over columns. Rules that only Python knows (names,
titles, companies, odd telephone numbers) run once per distinct value and are remembered over the batches of a file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from hagukumi.kit import clock, countries, ja, tables
from hagukumi.kit import lazy as modules
from hagukumi.kit.columns import COLUMNS, LEFT_OUT, ColumnError

from . import companies, places
from . import mapping as mappings

if TYPE_CHECKING:
    import polars as pl
else:
    pl = modules.Module("polars")

LIMITS = {
    key: target.limit
    for key, target in mappings.TARGETS.items()
    if target.limit and (key not in COLUMNS or COLUMNS[key].type in ("text", "area", "kana"))
}
"""The most characters of a cell; what is read (a number, an address) is measured when it has been read."""
NUMBERS = tuple(key for key, column in COLUMNS.items() if column.type == "number")
_REMEMBERED = 200_000
_SEVERAL = "\x1f"
_MOBILE = "mobile|cell|携帯|iphone"
_FAX = "fax|ファ"
_BLANKS = ("Select", "-", "--", "－", "―", "ー", "N/A", "n/a")
_YES = tuple(
    "yes y 1 true t on はい 停止 停止中 配信停止 配信停止中 配信停止済み unsubscribed blacklisted blocklisted"
    " cleaned オプトアウト 解除"
    " optout opted_out opt-out 不可 配信不可 拒否 配信拒否 不要 希望しない 希望しません ○ ◯ 有".replace(
        "_", " "
    ).split()
)
"""What says of a person that they want no mail."""
_REFUSED = ("no", "n", "0", "false", "いいえ", "不可", "拒否", "停止", "ng", "×", "なし", "無", "不許可", "希望しない")
"""What says so in a column about who may be mailed."""
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
    """Turns batches of one file into rows of `incoming`; `columns` maps its `header` to targets.

    `own`: how a value of an own field is read, by key; ValueError where it cannot be. A field not named is text.
    `dated`: the own fields that hold dates. `day_first`: 05/01/2026 is the 5th of January; `two_readings` is the first
    date met that could be read either way.
    """

    header: Sequence[str]
    columns: Mapping[str, str]
    own: Mapping[str, Callable[[str], Any]] = field(default_factory=dict)
    day_first: bool = False
    dated: Collection[str] = ()
    two_readings: str = ""
    _known: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.places = mappings.places(self.header, self.columns)
        self._labels = mappings.labels(self.header)
        if labelled := [place for place in self.places.get("phone", []) if place in self._labels]:
            self.places.setdefault("mobile", []).extend(labelled)

    def __call__(self, frame: pl.DataFrame) -> Normal:
        """The rows of a frame with `row_no` and c0..cn."""
        self._unvalued: dict[str, list[int]] = {}
        picked = self._plain(frame.select("row_no", *self._picks()))
        picked = self._whole(picked)
        has = set(picked.columns) - {"country"}
        rows = self._identify(self._needs(self._person(self._reach(picked, has), has), has))
        reasons = self._reasons(frame, picked, rows)
        bad = reasons.filter(pl.col("reason") != "")
        if bad.height:
            rows = rows.filter(reasons["reason"] == "")
        notices = self._notices(frame, picked, rows)
        return Normal(self._leaders(rows.drop("country", strict=False)), self._rejects(frame, bad), notices)

    def _picks(self) -> list[pl.Expr]:
        picks = []
        for target, found in self.places.items():
            cells = [self._cell(place, target) for place in found]
            if target in mappings.JOINED and len(cells) > 1:
                picks.append(pl.concat_str(cells, separator=places.SEPARATOR).alias(target))
                continue
            pick = cells[-1]
            for cell in reversed(cells[:-1]):
                pick = pl.when(cell != "").then(cell).otherwise(pick)
            picks.append(pick.alias(target))
        return picks

    def _cell(self, place: int, target: str) -> pl.Expr:
        """A cell, '' for what stands for nothing; of a number beside its kind (Mobile, Work) what `target` asks."""
        cell = pl.col(f"c{place}").str.strip_chars()
        cell = pl.when(cell.is_in(_BLANKS)).then(pl.lit("")).otherwise(cell)
        if target == "no_mail" and mappings.says_may_mail(self.header[place]):
            return pl.when(cell.str.to_lowercase().is_in(_REFUSED)).then(pl.lit(_YES[0])).otherwise(pl.lit(""))
        if place not in self._labels:
            return cell
        kind = pl.col(f"c{self._labels[place]}").str.to_lowercase()
        mobile, fax = kind.str.contains(_MOBILE), kind.str.contains(_FAX)
        return pl.when((mobile if target == "mobile" else ~mobile) & ~fax).then(cell).otherwise(pl.lit(""))

    def _whole(self, picked: pl.DataFrame) -> pl.DataFrame:
        """What a file gives in several columns as one: pieces of an address, levels of a department."""
        for target in mappings.JOINED:
            found = self.places.get(target, [])
            if len(found) > 1:
                ranks = [places.rank(self.header[place]) for place in found]
                rule = partial(_joined, target, ranks)
                picked = picked.with_columns(self._each(picked[target], rule, f"{target} whole"))
        return picked

    def _plain(self, picked: pl.DataFrame) -> pl.DataFrame:
        """Without formulas that have no value, marks that nobody sees, and our exports' apostrophes before formulas."""
        for target in picked.columns[1:]:
            cells = picked[target]
            if (unvalued := cells == tables.NO_VALUE).any():
                self._unvalued[target] = picked.filter(unvalued)["row_no"].to_list()
                cells = cells.set(unvalued, "")
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
        if "country" in rows.columns:
            rows = rows.with_columns(self._each(rows["country"], countries.code))
        for target in has & COLUMNS.keys():
            if COLUMNS[target].type == "phone":
                rows = self._phone(rows, target)
        for target in has & COLUMNS.keys():
            if COLUMNS[target].type in ("postal_code", "prefecture", "choice"):
                rows = rows.with_columns(self._each(rows[target], partial(_held, target)))
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
        if not odd:
            return rows.with_columns(mail.alias("email"))
        read = {one: ja.email(one) for one in odd}
        more = {one: _SEVERAL.join(self._others(one, read[one])) for one in odd if one.count("@") + one.count("＠") > 1}
        return rows.with_columns(
            pl.when(common).then(mail).otherwise(typed.replace(read)).alias("email"),
            *([typed.replace_strict(more, default="").alias("email_also")] if any(more.values()) else []),
        )

    @staticmethod
    def _others(cell: str, first: str) -> list[str]:
        """The other addresses of a cell; those that a whole office reads are nobody's."""
        return [one for one in ja.emails(cell) if one != first and not ja.is_role_address(one)]

    def _phone(self, rows: pl.DataFrame, target: str) -> pl.DataFrame:
        """The common Japanese shapes by pattern; the rest, once per distinct value and country, by `kit.ja.phone`."""
        if "country" in rows.columns and (rows["country"] != "").any():
            return self._phone_abroad(rows, target)
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

    def _phone_abroad(self, rows: pl.DataFrame, target: str) -> pl.DataFrame:
        """Telephone numbers of people who live in several countries."""
        both = rows.select(pl.concat_str(target, "country", separator="\x1f").alias("number"))["number"]

        def read(number: str) -> str:
            typed, _, country = number.partition("\x1f")
            return "\x1f".join(ja.phone(typed, country or "JP"))

        found = self._each(both, read, f"{target} abroad").str.split("\x1f")
        columns = [found.list.get(0).alias(target)]
        if target == "phone":
            columns.append(found.list.get(1).alias("phone_extension"))
        return rows.with_columns(columns)

    def _person(self, rows: pl.DataFrame, has: set[str]) -> pl.DataFrame:
        """Name, reading, company, rank."""
        if "full_name" in has:
            rows = self._split(rows, "full_name", "last_name", "first_name", _halves)
        if "full_kana" in has:
            rows = self._split(rows, "full_kana", "last_kana", "first_kana", _halves)
        for target in rows.columns:
            if target in COLUMNS and COLUMNS[target].type == "kana":
                rows = rows.with_columns(
                    pl.col(target).str.normalize("NFKC").str.replace_many(ja.HIRAGANA).str.replace_all(r"\s+", " ")
                )
        if "department_title" in has:
            rows = self._split(rows, "department_title", "department", "title", _department)
            has |= {"department", "title"}
        rows = self._company_facts(rows, has)
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
        self, rows: pl.DataFrame, whole: str, last: str, first: str, rule: Callable[[str], tuple[str, str]]
    ) -> pl.DataFrame:
        """Fill the empty halves from the whole."""
        both = self._each(rows[whole], lambda text: "\x1f".join(rule(text)), whole).str.split("\x1f")
        halves = []
        for place, half in enumerate((last, first)):
            part = both.list.get(place)
            old = rows[half] if half in rows.columns else pl.Series([""]).new_from_index(0, rows.height)
            halves.append(pl.select(pl.when(old != "").then(old).otherwise(part).alias(half)).to_series())
        return rows.with_columns(halves).drop(whole)

    def _company_facts(self, rows: pl.DataFrame, has: set[str]) -> pl.DataFrame:
        """What the file says of the company, as its columns hold it."""
        for target, rule in companies.FACTS.items():
            if target in has:
                rows = rows.with_columns(self._each(rows[target], rule))
        return rows

    def _needs(self, rows: pl.DataFrame, has: set[str]) -> pl.DataFrame:
        """Facts and needs: attendance, date, number of users, tags, refusal of mail, own fields."""
        if "seminar" in has:
            word = pl.col("seminar").str.to_lowercase()
            attended = pl.when(word.is_in(_ATTENDED)).then(pl.lit("attended"))
            rows = rows.with_columns(
                attended.when(word.is_in(_ABSENT)).then(pl.lit("absent")).otherwise(pl.lit("")).alias("seminar")
            )
        for target in ("occurred_at", "met_on"):
            if target in has:
                at = self._each(rows[target], self._instant, target)
                rows = rows.with_columns(at.replace("", None).alias(target))
        if "met_on" in has:  # what was said at the booth was said on the day of the card
            said = pl.coalesce("occurred_at", "met_on") if "occurred_at" in has else pl.col("met_on")
            rows = rows.with_columns(said.alias("occurred_at"))
        for target in has.intersection(NUMBERS):
            held = self._each(rows[target], partial(_held, target))
            rows = rows.with_columns(held.cast(pl.Int32, strict=False).alias(target))
        if "asked_id" in has:
            rows = rows.with_columns(pl.col("asked_id").cast(pl.Int64, strict=False).alias("asked_id"))
        if "tags" in has:
            rows = rows.with_columns(self._each(rows["tags"], lambda typed: "\x1f".join(mappings.tags(typed)), "tags"))
        if "no_mail" in has:
            rows = rows.with_columns(self._each(rows["no_mail"], _refuses, "no mail").eq(_YES[0]).alias("no_mail"))
        own = sorted(target for target in has if target.startswith("field:"))
        if own:
            keys = [target.removeprefix("field:") for target in own]
            read = [[self._own(key, cell) for cell in rows[f"field:{key}"]] for key in keys]
            packed = [
                json.dumps(
                    {key: value for key, value in zip(keys, values, strict=True) if value not in ("", None)},
                    ensure_ascii=False,
                )
                for values in zip(*read, strict=True)
            ]
            rows = rows.with_columns(pl.Series("fields", packed, dtype=pl.String)).drop(own)
        return rows

    def _own(self, key: str, cell: str) -> Any:
        """The cell as its own field holds it; None where it cannot."""
        if not cell or key not in self.own:
            return cell
        known = self._known.setdefault(f"field:{key}", {})
        if cell not in known:
            if len(known) > _REMEMBERED:
                known.clear()
            if key in self.dated:
                self._note_readings(cell)
            try:
                known[cell] = self.own[key](cell)
            except ValueError:
                known[cell] = None
        return known[cell]

    def _instant(self, text: str) -> str:
        """A JST date or time as an ISO instant; '' for none or one that no person of today can mean."""
        self._note_readings(text)
        found = ja.moment(text, day_first=self.day_first)
        if not found or not datetime(2000, 1, 2) <= found <= datetime(2099, 12, 30):  # noqa: DTZ001
            return ""
        return found.replace(tzinfo=clock.JST).astimezone(UTC).isoformat()

    def _note_readings(self, text: str) -> None:
        if not self.two_readings and ja.has_two_readings(text):
            self.two_readings = text

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
            .when(pl.col("asked_id").is_not_null() if "asked_id" in has else pl.lit(False))
            .then(5)
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
        if "asked_id" in rows.columns:  # two numbers of ours are two people, whatever they share
            key = pl.when(pl.col("asked_id").is_not_null()).then(pl.format("\x1e{}", "asked_id")).otherwise(key)
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
            if limit := LIMITS.get(target, 4000 if target.startswith("field:") else 0):
                checks.append(("too_long", target, cells.str.len_chars() > limit))
        if "email" in picked.columns:
            checks.append(("bad_email", "email", (rows["email"] != "") & ~rows["email"].str.contains(ja.EMAIL)))
            checks.append(("too_long", "email", rows["email"].str.len_bytes() > 254))
        for target, column in COLUMNS.items():
            if target in rows.columns and column.type in ("text", "kana", "phone") and target in LIMITS:
                checks.append(("too_long", target, rows[target].str.len_chars() > column.limit))
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
            places = self.places.get(target) or self.places.get(_WHOLE.get(target, ""), [])
            place = next((p for p in places if cells[p].strip()), None)
            column, value = (self.header[place], cells[place]) if place is not None else ("", "")
            found.append(Reject(row_no, self.raw(cells), reason, column[:120], value.replace("\x00", "␀")[:200]))
        return found

    def _notices(self, frame: pl.DataFrame, picked: pl.DataFrame, rows: pl.DataFrame) -> list[Notice]:
        """Cells that say something which their column cannot hold, of the rows that are taken in."""
        found: list[Notice] = []
        own = [key for key in self.own if f"field:{key}" in picked.columns]
        if own or self._unvalued:
            taken = set(rows["row_no"])
            for target, row_nos in self._unvalued.items():
                found += [self._notice(row_no, target, "formula") for row_no in row_nos if row_no in taken]
            for key in own:
                cells = picked.select("row_no", f"field:{key}").iter_rows()
                found += [
                    self._notice(row_no, f"field:{key}", "bad_own", cell)
                    for row_no, cell in cells
                    if cell and row_no in taken and self._own(key, cell) is None
                ]
        if "email_also" in rows.columns:
            several = rows.select("row_no", "email_also").filter(pl.col("email_also") != "")
            found += [
                self._notice(row_no, "email", "second_address", also.replace(_SEVERAL, ", "))
                for row_no, also in several.iter_rows()
            ]
        for target, reason in _LEFT_OUT.items():
            if target not in picked.columns:
                continue
            kept = rows.select("row_no", pl.col(target).cast(pl.String).fill_null("").alias("kept"))
            typed = picked.select("row_no", pl.col(target).alias("typed")).filter(pl.col("typed") != "")
            lost = kept.filter(pl.col("kept") == "").join(typed, on="row_no", how="inner", maintain_order="left")
            found += [self._notice(row_no, target, reason, cell) for row_no, _, cell in lost.iter_rows()]
        return sorted(found, key=lambda notice: notice.row_no)

    def _notice(self, row_no: int, target: str, reason: str, cell: str = "") -> Notice:
        column = self.header[self.places[target][0]]
        return Notice(row_no, reason, column[:120], cell.replace("\x00", "␀")[:200])

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
    **{key: LEFT_OUT[column.type] for key, column in COLUMNS.items() if column.type in LEFT_OUT},
    "occurred_at": "bad_date",
    "met_on": "bad_date",
    "asked_id": "bad_number",
    "country": "bad_country",
    **dict.fromkeys(companies.FACTS, "bad_company_fact"),
}
"""Columns whose unreadable cell costs the cell and not the person, and how that is said (`imports.rules.REASONS`)."""
_PROSE = (*(key for key, column in COLUMNS.items() if column.type == "area"), "booth_talk")
_WHOLE = {
    "last_name": "full_name", "first_name": "full_name", "last_kana": "full_kana", "first_kana": "full_kana",
    "department": "department_title", "title": "department_title",
}  # fmt: skip


def _refuses(cell: str) -> str:
    """yes where one of the columns about mail says that the person wants none."""
    return _YES[0] if any(piece.lower() in _YES for piece in cell.split(places.SEPARATOR)) else ""


def _halves(name: str) -> tuple[str, str]:
    found = ja.person(name)
    return found.last, found.first


def _department(text: str) -> tuple[str, str]:
    """営業部 部長 -> department and title; a single word is the one that it looks like."""
    parts = [part for part in _PARTS.split(text) if part]
    if len(parts) > 1:
        return " ".join(parts[:-1]), parts[-1]
    return ("", text) if _TITLE.search(text) else (text, "")


_PARTS = re.compile(r"[\s/／・,、]+")
_TITLE = re.compile(
    r"(?:長|主任|主査|主事|取締役|役員|代表|担当|マネージャー|リーダー|スタッフ|manager|director)$", re.IGNORECASE
)


def _joined(target: str, ranks: Sequence[int], cell: str) -> str:
    pieces = cell.split(places.SEPARATOR)
    if target == "no_mail":
        return cell
    return places.join(pieces, ranks) if target == "address" else " ".join(dict.fromkeys(filter(None, pieces)))


def _company(name: str) -> str:
    found = ja.company(name)
    return f"{found.key}\x1f{found.form}\x1f{found.position}\x1f{found.core}"


def _held(key: str, typed: str) -> str:
    """What a column holds of a cell, as text; '' where it cannot hold it."""
    try:
        value = COLUMNS[key].clean(typed)
    except ColumnError:
        return ""
    return "" if value is None else str(value)
