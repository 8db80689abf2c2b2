"""The built front end, by its manifest: hashed file names, read again when the build changes."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings


def _manifest() -> dict[str, Any]:
    path = Path(settings.STATIC_DIST) / "manifest.json"
    try:
        return _read(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        return {}


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def built() -> bool:
    """Whether `npm run build` has been run."""
    return bool(_manifest())


def script(entry: str = "src/main.ts") -> str:
    """The address of an entry's script; '' where the front end is not built."""
    found = _manifest().get(entry)
    return settings.STATIC_URL + found["file"] if found else ""


def styles(entry: str = "src/main.ts") -> list[str]:
    """The addresses of an entry's style sheets."""
    return [settings.STATIC_URL + name for name in _manifest().get(entry, {}).get("css", [])]


def sprite() -> str:
    """The address of the icon sprite."""
    return script("icons")
