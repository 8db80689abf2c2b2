"""Words of taking files in: states, and every reason why a row or a file is not taken."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from hagukumi.people.fields import profile

STATES: dict[str, Any] = {
    "draft": _("確認待ち"),
    "queued": _("順番待ち"),
    "running": _("取り込み中"),
    "done": _("完了"),
    "cancelled": _("中止"),
    "failed": _("失敗"),
}
"""States of an import. Key -> label."""

OUTCOMES = {1: "created", 2: "updated", 3: "unchanged"}
"""How a row that was taken in came out (`identity.intake.OUTCOMES`), as programs read it."""
REJECTED = "rejected"

REASONS: dict[str, Any] = {
    **profile.REASONS,
    "no_identity": _("誰のことか分かりません。メールアドレス、または氏名と（会社名か電話番号）が必要です。"),
    "ambiguous": _("同じ会社・氏名（または電話番号・氏名）の人が複数います。メールアドレスを足してください。"),
    "unknown_id": _("その育みの番号の人がいません。メールアドレス、または氏名と会社名を足してください。"),
    "bad_own": _("項目の種類に合わない値です（数値・日付・選択肢）。"),
    "second_address": _("アドレスが 2 つ以上あります。先頭を使い、ほかは同じ人の別のアドレスとして覚えました。"),
    "bad_country": _("国の名前として読めません。電話番号は日本のものとして読みました。"),
    "bad_company_fact": _("会社の情報として読めません（業種の名前、13 桁の法人番号、円の金額、人数）。"),
    "formula": _("数式の計算結果がファイルにありません。Excel で開いて保存し直してください。"),
    "empty_row": _("空の行です。"),
    "bad_quote": _('引用符（"）が閉じていません。'),
    "cells": _("列の数が見出しと合いません。"),
    "line_too_long": _("1 行が長すぎます（100 万文字まで）。"),
    "undecodable": _("文字コードとして読めない文字が入っています。"),
}
"""Why a row is not taken in. Code -> sentence; the row, column and value stand beside it."""

FILE_ERRORS: dict[str, Any] = {
    "empty": _("ファイルが空です。見出しの行とデータの行があるファイルを選んでください。"),
    "encoding": _("文字コード %(encoding)s は読めません。UTF-8 か Shift_JIS（cp932）で保存し直してください。"),
    "undecodable": _("%(row)s 行目が文字コード %(encoding)s として読めません。文字コードを選び直してください。"),
    "binary": _("CSV でも Excel でもないファイルです。"),
    "no_header": _("1 行目に見出しがありません。「会社名」「メールアドレス」などの見出しの行を付けてください。"),
    "no_known_column": _(
        "1 行目の見出しから、氏名・会社名・メールアドレスなどの列を見つけられません。"
        "見出しと文字コード（%(encoding)s）を確かめてください。"
    ),
    "header_unreadable": _('1 行目（見出し）の引用符（"）が閉じていません。'),
    "line_too_long": _("%(row)s 行目が長すぎます（1 行 100 万文字まで）。CSV ファイルか確かめてください。"),
    "too_many_columns": _("列が多すぎます（%(count)s 列）。600 列までにしてください。"),
    "password": _("パスワードで保護されています。パスワードを外して保存し直してください。"),
    "image": _("画像ファイルです。表を CSV か Excel で保存して選んでください。"),
    "pdf": _("PDF ファイルです。表を CSV か Excel で保存して選んでください。"),
    "no_such_sheet": _("その名前のシートがありません。"),
    "sheet_unreadable": _("Excel ファイルとして開けません。CSV で保存し直してください。"),
    "sheet_too_big": _("Excel ファイルの中身が大きすぎます。CSV で保存し直してください。"),
    "too_big": _("ファイルが大きすぎます（%(megabytes)s MB まで）。分けて取り込んでください。"),
    "broken": _("取り込みの途中で問題が起き、何も変更せずに止めました。もう一度お試しください。（%(detail)s）"),
    "unknown_heading": _("「%(heading)s」という見出しはファイルにありません。ファイルの見出し: %(headings)s"),
    "unknown_column": _(
        "「%(column)s」という項目はありません。"
        "項目の名前かキーを書いてください（例: メールアドレス、email、field:budget）。"
    ),
    "map_form": _("--map は「見出し=項目」の形で書いてください: %(pair)s"),
    "no_such_row": _("%(row)s 行目に見出しがありません。先頭の 30 行のうちの、空でない行を選んでください。"),
    "result_place": _(
        "%(path)s に結果は書けません。フォルダーがあり、取り込むファイルとは別の名前かを確かめてください。"
    ),
    "missing_file": _("アップロードされたファイルが見つかりません。もう一度アップロードしてください。"),
}
"""Why a file is not taken in at all. Code -> sentence with the values it names."""


def reason(code: str) -> str:
    """Why a row was rejected, in the reader's language."""
    return str(REASONS.get(code, code))


def row_error(reject: Any) -> str:
    """Which row, which column and why, in one sentence. `reject` has row_no, column and reason."""
    values = {"row": reject.row_no, "column": reject.column, "reason": reason(reject.reason)}
    return (
        gettext("%(row)s 行目「%(column)s」: %(reason)s") if reject.column else gettext("%(row)s 行目: %(reason)s")
    ) % values


def cell_error(reject: Any) -> str:
    """Which column and why, where the row stands beside it."""
    values = {"column": reject.column, "reason": reason(reject.reason)}
    return gettext("「%(column)s」: %(reason)s") % values if reject.column else str(values["reason"])


def file_error(message: Mapping[str, Any]) -> str:
    """Why a file was refused, in the reader's language. `message`: `code` and its sentence's values; '' for none."""
    code = str(message.get("code", ""))
    if not code:
        return ""
    return str(FILE_ERRORS.get(code, code)) % {"row": "", "encoding": "", **message}
