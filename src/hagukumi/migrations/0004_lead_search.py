"""Search by two Japanese characters: the functions that fold text and cut it into grams; when each lead last acted."""

from django.db import migrations, models

FORWARD = """
-- Text as search compares it: NFKC, lower case, katakana, common variant kanji, without spaces, hyphens and brackets.
-- The long tables are tried only where a character of theirs stands: translate() compares every character with every entry.
CREATE FUNCTION search_fold(value text) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
DECLARE
    folded text := translate(lower(normalize(value, NFKC)), E' \t\n\r\f\v()+‐‑–—−・-', '');
BEGIN
    IF folded ~ '[ぁ-ゖ]' THEN
        folded := translate(folded,
            'ぁあぃいぅうぇえぉおかがきぎくぐけげこごさざしじすずせぜそぞただちぢっつづてでとどなにぬねのはばぱひびぴふぶぷへべぺほぼぽまみむめもゃやゅゆょよらりるれろゎわゐゑをんゔゕゖ',
            'ァアィイゥウェエォオカガキギクグヶゲコゴサザシジスズセゼソゾタダチヂッツヅテデトドナニヌネノハバパヒビピフブプヘベペホボポマミムメモャヤュユョヨラリルレロヮワヰヱヲンヴヶヶ');
    END IF;
    IF folded ~ '[增藏德瀨髙﨑嵜碕邊邉齋齊斉濱濵澤嶋嶌櫻廣國𠮷眞龍惠關瀧黑條會萬與榮圓澁澀戶蘆靜實鐵豐藪檜栁𣘺學ケヵ薗舘曾渕渊爲穰亞凜堯]' THEN
        folded := translate(folded,
            '增藏德瀨髙﨑嵜碕邊邉齋齊斉濱濵澤嶋嶌櫻廣國𠮷眞龍惠關瀧黑條會萬與榮圓澁澀戶蘆靜實鐵豐藪檜栁𣘺學ケヵ薗舘曾渕渊爲穰亞凜堯',
            '増蔵徳瀬高崎崎崎辺辺斎斎斎浜浜沢島島桜広国吉真竜恵関滝黒条会万与栄円渋渋戸芦静実鉄豊薮桧柳橋学ヶヶ園館曽淵淵為穣亜凛尭');
    END IF;
    RETURN folded;
END $$;

-- The grams that find a lead: of each piece the pairs that hold a non-ASCII character, the triples of ASCII ones, and how
-- it begins (^a, ^ab), for searches too short for a gram. A loop, because nested SQL functions cost four times as much.
CREATE FUNCTION search_grams(VARIADIC pieces text[]) RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    gap CONSTANT text := chr(1);
    cut CONSTANT text[] := string_to_array(gap || search_fold(array_to_string(pieces, gap)), NULL);
    grams text[] := '{}';
    a text; b text; c text;
BEGIN
    FOR i IN 1 .. coalesce(cardinality(cut), 0) LOOP
        a := cut[i]; b := coalesce(cut[i + 1], gap); c := coalesce(cut[i + 2], gap);
        IF b = gap THEN CONTINUE; END IF;
        IF a = gap THEN
            grams := grams || ('^' || b);
            IF c <> gap THEN grams := grams || ('^' || b || c); END IF;
        ELSIF octet_length(a || b) > 2 THEN
            grams := grams || (a || b);
        ELSIF c <> gap AND octet_length(c) = 1 THEN
            grams := grams || (a || b || c);
        END IF;
    END LOOP;
    RETURN grams;
END $$;

-- What a search term asks of a lead's grams: those inside it; a term too short for a gram asks for a beginning.
CREATE FUNCTION search_asks(term text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
DECLARE
    inside CONSTANT text[] := ARRAY(SELECT gram FROM unnest(search_grams(term)) AS gram WHERE gram NOT LIKE '^%');
BEGIN
    RETURN CASE WHEN inside = '{}' THEN ARRAY['^' || left(search_fold(term), 2)] ELSE inside END;
END $$;
"""

BACKWARD = """
DROP FUNCTION search_asks;
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
            index=models.Index(fields=["owner"], name="lead_owner", condition=models.Q(owner__isnull=False)),
        ),
    ]
