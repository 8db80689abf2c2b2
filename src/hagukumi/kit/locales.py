"""Where the message catalogues lie: beside the screen of each noun, msgids in Japanese, one English each (ADR 3)."""

from pathlib import Path

SCREENS = Path(__file__).resolve().parents[1] / "screens"


def paths() -> list[Path]:
    """Each noun's locale folder, as Django's LOCALE_PATHS wants them."""
    return sorted(SCREENS.glob("**/locale"))
