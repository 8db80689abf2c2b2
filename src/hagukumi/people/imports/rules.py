"""Words of taking files in: states, and every reason why a row or a file is not taken."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

STATES: dict[str, Any] = {
    "draft": _("確認待ち"),
    "queued": _("順番待ち"),
    "running": _("取り込み中"),
    "done": _("完了"),
    "cancelled": _("中止"),
    "failed": _("失敗"),
}
"""States of an import. Key -> label."""

REASONS: dict[str, Any] = {
    "no_identity": _("誰のことか分かりません。メールアドレス、または氏名と（会社名か電話番号）が必要です。"),
    "ambiguous": _("同じ会社・氏名（または電話番号・氏名）の人が複数います。メールアドレスを足してください。"),
    "bad_email": _("メールアドレスの形が正しくありません。"),
    "bad_phone": _("電話番号として読めません。"),
    "bad_postal_code": _("郵便番号は 7 桁です。"),
    "bad_prefecture": _("都道府県の名前ではありません。"),
    "bad_number": _("数字ではありません。"),
    "bad_date": _("日付として読めません。2026/4/1 のように書いてください。"),
    "too_long": _("文字数が多すぎます。"),
    "control": _("保存できない制御文字が入っています。"),
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
    "old_excel": _("古い Excel 形式（.xls）です。.xlsx か CSV で保存し直してください。"),
    "sheet_unreadable": _("Excel ファイルとして開けません。パスワードを外すか、CSV で保存し直してください。"),
    "sheet_too_big": _(
        "Excel ファイルの中身が大きすぎます（展開後 %(megabytes)s MB まで）。CSV で保存し直してください。"
    ),
    "too_big": _("ファイルが大きすぎます（%(megabytes)s MB まで）。分けて取り込んでください。"),
    "broken": _("取り込みの途中で問題が起き、何も変更せずに止めました。もう一度お試しください。（%(detail)s）"),
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


def file_error(message: Mapping[str, Any]) -> str:
    """Why a file was refused, in the reader's language. `message`: `code` and its sentence's values; '' for none."""
    code = str(message.get("code", ""))
    if not code:
        return ""
    return str(FILE_ERRORS.get(code, code)) % {"row": "", "encoding": "", **message}
