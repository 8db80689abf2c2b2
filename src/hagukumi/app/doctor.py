"""`hagukumi doctor`: the health of database, collector, heart and mail, for a person or as JSON for a program."""

import json

from hagukumi.overview.health.reads import Report, report

__all__ = ["report", "show"]


def show(found: Report, *, as_json: bool) -> None:
    """Print the report: one line of JSON, or a table in both languages."""
    if as_json:
        print(json.dumps(found, ensure_ascii=False, default=str))
        return
    names = {"database": "データベース", "collector": "計測", "heart": "心臓", "mail": "メール"}
    for key, name in names.items():
        part = found[key]
        facts = ", ".join(f"{fact}={value}" for fact, value in part.items() if _is_plain(fact, value))
        print(f"{'正常 OK ' if part['ok'] else '異常 NG '}  {name} / {key}   {part.get('error') or facts}")
    for step in found["heart"].get("steps", []):
        error = f"  {step['error']}" if step["error"] else ""
        print(
            f"            {step['step']:<14} {step['last_success_at'] or '-'}  lag {step['lag_seconds']:.1f} s{error}"
        )
    for one in found["heart"].get("set_aside", []):
        print(f"            除外中 / set aside: {one['owner']} {one['object_id']}  {one['error']}")


def _is_plain(fact: str, value: object) -> bool:
    return fact not in ("ok", "error") and not isinstance(value, list | dict)
