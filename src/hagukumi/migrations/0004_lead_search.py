"""Search by two Japanese characters: the functions that fold text and cut it into grams; when each lead last acted."""

from django.db import migrations, models

FORWARD = """
-- Text as search compares it: NFKC, lower case, katakana, common variant kanji, without spaces, hyphens and brackets.
CREATE FUNCTION search_fold(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
    SELECT translate(
        regexp_replace(lower(normalize(value, NFKC)), '[[:space:]()+‐‑–—−・-]', '', 'g'),
        'ぁあぃいぅうぇえぉおかがきぎくぐけげこごさざしじすずせぜそぞただちぢっつづてでとどなにぬねのはばぱひびぴふぶぷへべぺほぼぽまみむめもゃやゅゆょよらりるれろゎわゐゑをんゔゕゖ髙﨑邊邉齋齊斎濱嶋嶌澤廣國櫻渡瀨德增藏龍與眞條惠榮',
        'ァアィイゥウェエォオカガキギクグケゲコゴサザシジスズセゼソゾタダチヂッツヅテデトドナニヌネノハバパヒビピフブプヘベペホボポマミムメモャヤュユョヨラリルレロヮワヰヱヲンヴヵヶ高崎辺辺斉斉斉浜島島沢広国桜渡瀬徳増蔵竜与真条恵栄'
    )
$$;

-- The grams of one folded piece: pairs that hold a non-ASCII character, triples of ASCII ones.
CREATE FUNCTION search_grams(piece text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
    SELECT coalesce(array_agg(DISTINCT gram), '{}')
    FROM generate_series(1, length(piece) - 1) AS i,
         LATERAL (SELECT CASE WHEN octet_length(substr(piece, i, 2)) > 2 THEN substr(piece, i, 2)
                              WHEN length(substr(piece, i, 3)) = 3 AND octet_length(substr(piece, i, 3)) = 3
                              THEN substr(piece, i, 3) END AS gram) AS cut
    WHERE gram IS NOT NULL
$$;

-- The grams that find a lead: those of every piece, and how each piece begins, for searches too short for a gram.
CREATE FUNCTION search_grams_of(VARIADIC pieces text[]) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT gram), '{}')
    FROM unnest(pieces) AS given (raw),
         LATERAL search_fold(raw) AS piece,
         LATERAL unnest(search_grams(piece) || ARRAY['^' || left(piece, 1), '^' || left(piece, 2)]) AS gram
    WHERE piece <> ''
$$;

-- What a search term asks of a lead's grams; a term too short for a gram asks for a beginning.
CREATE FUNCTION search_asks(term text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
    SELECT CASE WHEN search_grams(search_fold(term)) = '{}' THEN ARRAY['^' || left(search_fold(term), 2)]
                ELSE search_grams(search_fold(term)) END
$$;
"""

BACKWARD = """
DROP FUNCTION search_asks;
DROP FUNCTION search_grams_of;
DROP FUNCTION search_grams;
DROP FUNCTION search_fold;
"""


class Migration(migrations.Migration):
    dependencies = [("hagukumi", "0003_scenario_take_in")]
    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.CreateModel(
            name="LeadRecency",
            fields=[
                ("lead_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
            ],
            options={
                "db_table": "lead_recency",
                "indexes": [models.Index(fields=["-at", "-lead_id"], name="lead_recency_at")],
            },
        ),
        migrations.AddIndex(
            model_name="lead",
            index=models.Index(
                fields=["owner"], name="lead_owner", condition=models.Q(owner__isnull=False)
            ),
        ),
    ]
