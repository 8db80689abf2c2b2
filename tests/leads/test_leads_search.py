"""Search by two characters: what is stored, what is asked, and that only touched leads are recomputed."""

import pytest
from django.db import connection


def fold(value):
    with connection.cursor() as cursor:
        cursor.execute("SELECT search_fold(%s)", [value])
        return cursor.fetchone()[0]


@pytest.mark.parametrize(
    ("raw", "folded"),
    [
        ("ＡＢＣ㈱", "abc株"),
        ("髙﨑 邉", "高崎辺"),
        ("やまだ たろう", "ヤマダタロウ"),
        ("ﾔﾏﾀﾞ", "ヤマダ"),
        ("03-1234-5678", "0312345678"),
        ("０３（1234）5678", "0312345678"),
        ("コーヒー", "コーヒー"),
    ],
)
def test_folding(db, raw, folded):
    assert fold(raw) == folded
