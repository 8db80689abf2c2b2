"""One person by API: everything we hold, and their erasure. Two more operations of the router of leads."""

from typing import Any

from django.http import HttpRequest
from ninja import Path, Query, Schema
from pydantic import Field

from hagukumi.integrations.privacy import services
from hagukumi.kit import clock

from .auth import guarded
from .leads import router
from .problems import ProblemError
from .types import PROBLEMS, Id


class Everything(Schema):
    """All rows about a person, by table; `suppressed`: their addresses that are never mailed, and why."""

    lead_id: int
    at: str
    tables: dict[str, list[dict[str, Any]]]
    suppressed: list[dict[str, Any]]


class Erased(Schema):
    """What went: rows by table, how many files; `stops_kept`: addresses kept as hashes, never to be mailed."""

    lead_id: int
    rows: dict[str, int]
    files: int
    stops_kept: int


class Why(Schema):
    reason: str = Field(min_length=1, max_length=200, description="消去の理由（操作の記録に残ります）")


@router.get(
    "/{lead_id}/everything",
    response={200: Everything, **PROBLEMS},
    summary="一人についての全記録",
    **guarded("leads:erase"),
)
def everything(request: HttpRequest, lead_id: Path[Id]) -> dict[str, Any]:
    try:
        return services.export(lead_id, clock.now())
    except services.NobodyError:
        raise ProblemError(404) from None


@router.delete("/{lead_id}", response={200: Erased, **PROBLEMS}, summary="一人の消去", **guarded("leads:erase"))
def erase(request: HttpRequest, lead_id: Path[Id], why: Query[Why]) -> dict[str, Any]:
    try:
        done = services.erase(lead_id, clock.now(), reason=why.reason.replace("\x00", ""))
    except services.NobodyError:
        raise ProblemError(404) from None
    return {"lead_id": lead_id, "rows": dict(done.rows), "files": len(done.files), "stops_kept": done.stops_kept}
