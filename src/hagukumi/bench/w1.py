"""W1: a cp932 CSV of 8 columns into the one database, against a raw COPY and bare INSERTs of the same rows.

Ours reads, decodes, normalises, finds identities, rejects bad rows and writes leads, identities, companies, the ledger
and its pulses. The limit copies the same cells as they are into a temporary table and inserts into the same tables.
"""

import csv
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from hagukumi.kit import clock
from hagukumi.people.imports import services as imports
from hagukumi.people.leads import kinds
from hagukumi.people.sources import services as sources

LEADS = 1_000_000
ACTIVITY = 0
_HEAD = ("会社名", "部署名", "役職", "姓", "名", "メールアドレス", "電話番号", "住所")
_LAST = ("髙橋", "佐藤", "鈴木", "田中", "渡邊", "伊藤", "山﨑", "中村", "小林", "加藤")
_FIRST = ("花子", "太郎", "一郎", "恵子", "健一", "由美", "直樹", "さくら", "大輔", "陽子")
_DEPARTMENTS = ("営業部", "製造部 第一課", "情報システム部", "経営企画室", "購買部", "総務部")
_TITLES = ("部長", "課長", "係長", "主任", "代表取締役", "マネージャー", "担当")
_PLACES = (
    "東京都千代田区丸の内1-2-3", "大阪府大阪市北区梅田2-4-9", "愛知県名古屋市中区栄3-5-12",
    "福岡県福岡市博多区博多駅前2-1-1",
)  # fmt: skip
_BAD_EVERY = 1000
"""One row in so many has an address that is none."""
_TABLES = "lead, lead_identity, company, company_domain, activity, pulse, import_row, import_reject"

_LIMIT = """
INSERT INTO company (name, match_key, created_at, updated_at)
SELECT DISTINCT company, company, %(now)s::timestamptz, %(now)s::timestamptz FROM raw
ON CONFLICT (match_key) DO NOTHING;
INSERT INTO lead (lead_id, known_at, last_name, first_name, company_name, company_id, department, title, email, phone,
                  address, source_id, created_at, updated_at)
SELECT r.n, %(now)s::timestamptz, r.last, r.first, r.company, c.id, r.department, r.title, r.email, r.phone, r.address,
       %(source_id)s::bigint, %(now)s::timestamptz, %(now)s::timestamptz
FROM raw r LEFT JOIN company c ON c.match_key = r.company;
INSERT INTO lead_identity (kind, value, lead_id) SELECT 'email', email, n FROM raw ON CONFLICT (kind, value) DO NOTHING;
INSERT INTO lead_identity (kind, value, lead_id)
SELECT 'phone_name', phone || ' ' || last || first, n FROM raw ON CONFLICT (kind, value) DO NOTHING;
INSERT INTO activity (lead_id, at, kind, object_id, details)
SELECT n, %(now)s::timestamptz, %(kind)s::smallint, %(source_id)s::bigint, '{"import": 1}' FROM raw;
INSERT INTO pulse (lead_id, at, kind, object_id)
SELECT n, %(now)s::timestamptz, %(kind)s::smallint, %(source_id)s::bigint FROM raw;
"""


def run(leads: int, activity: int) -> dict[str, Any]:
    """Rows a second, ours and the limit's, on empty tables; `activity` is not used."""
    with tempfile.TemporaryDirectory() as folder:
        path, plain = Path(folder) / "cards.csv", Path(folder) / "plain.csv"
        _write(path, plain, leads)
        source = sources.find_or_make("bench", now=clock.now())
        limit = _timed_limit(plain, source.id)
        _empty()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        item = imports.draft(
            path, file_name=path.name, source=source, basis="", user_id=None, now=clock.now(), encoding="cp932"
        )
        started = time.perf_counter()
        item = imports.run(item.id)
        took = time.perf_counter() - started
    counts = {name: getattr(item, name) for name in ("rows", "created", "updated", "unchanged", "rejected")}
    if item.state != "done" or item.created != leads - leads // _BAD_EVERY:
        raise RuntimeError(f"the import did not do its work: {item.state} {item.message} {counts}")
    peak = max(before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return {
        "unit": "rows",
        "rate": round(leads / took),
        "limit_rate": round(leads / limit),
        "ratio": round(limit / took, 3),
        "peak_mb": round(peak / 1024),
        "seconds": round(took, 2),
        **counts,
    }


def _write(path: Path, plain: Path, leads: int) -> None:
    """The file as cp932, and its good rows in the database's own encoding for the limit."""
    with (
        path.open("w", encoding="cp932", newline="") as out,
        plain.open("w", encoding="utf-8", newline="") as bare,
    ):
        sheet, raw = csv.writer(out), csv.writer(bare)
        sheet.writerow(_HEAD)
        for n in range(leads):
            company = n % max(1, leads // 30)
            row = [
                f"株式会社サンプル{company}" if company % 2 else f"サンプル{company}㈱",
                _DEPARTMENTS[n % 6], _TITLES[n % 7], _LAST[n % 10], _FIRST[n // 10 % 10],
                f"user{n * 7919 % 10_000_019}.{n}@sample{company}.example.jp",
                f"03-{n // 10000 % 10000:04d}-{n % 10000:04d}",
                _PLACES[n % 4],
            ]  # fmt: skip
            bad = n % _BAD_EVERY == _BAD_EVERY - 1
            if not bad:
                raw.writerow(row)
            sheet.writerow([*row[:5], "address" if bad else row[5], *row[6:]])


def _timed_limit(plain: Path, source_id: int) -> float:
    params: dict[str, Any] = {"now": clock.now(), "source_id": source_id, "kind": kinds.LEAD_CREATED.code}
    started = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT ensure_activity_months(%(now)s::timestamptz, %(now)s::timestamptz)", params)
        cursor.execute(
            "CREATE TEMP TABLE raw (n bigint DEFAULT nextval('lead_lead_id_seq'), company text, department text,"
            " title text, last text, first text, email text, phone text, address text) ON COMMIT DROP"
        )
        copy = "COPY raw (company, department, title, last, first, email, phone, address) FROM STDIN (FORMAT csv)"
        with cursor.copy(copy) as into, plain.open("rb") as file:
            while chunk := file.read(1 << 20):
                into.write(chunk)
        for statement in _LIMIT.split(";\n"):
            if statement.strip():
                cursor.execute(statement, params)
    return time.perf_counter() - started


def _empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {_TABLES}")
        cursor.execute("CHECKPOINT")
