"""Search by two characters: what is folded and what is asked of the grams."""

import pytest
from django.db import connection

from hagukumi.kit import ja


def value(call, *arguments):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {call}", arguments)
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
    assert value("search_fold(%s)", raw) == folded


def test_variants_fold_as_the_kit_folds_them(db):
    pairs = [(variant, plain) for variant, plain in ja.VARIANTS.items()]
    for variant, plain in pairs:
        assert value("search_fold(%s) = search_fold(%s)", variant, plain), (variant, plain)


def test_grams_of_pieces(db):
    assert value("search_grams('山田花子', '', 'ab@c', '林')") == [
        "^山", "^山田", "山田", "田花", "花子", "^a", "^ab", "ab@", "b@c", "^林",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("term", "asked"),
    [("山田", ["山田"]), ("林", ["^林"]), ("ab", ["^ab"]), ("aoba", ["aob", "oba"]), ("㈱青葉", ["株青", "青葉"])],
)
def test_what_a_term_asks(db, term, asked):
    assert value("search_asks(%s)", term) == asked
