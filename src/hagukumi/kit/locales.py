"""Where the message catalogues lie: one folder a room, msgids in Japanese, one English catalogue each (ADR 3)."""

from pathlib import Path

LOCALE_ROOT = Path(__file__).resolve().parents[1] / "locale"


def paths() -> list[Path]:
    """Each room's locale folder, as Django's LOCALE_PATHS wants them."""
    return sorted(path for path in LOCALE_ROOT.iterdir() if path.is_dir())
