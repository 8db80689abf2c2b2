"""A failure that the person at the keyboard can act on: one line in Japanese, one in English, no traceback."""


class StartError(Exception):
    """Something outside the program is in the way (a taken port, a full disk, a held home)."""

    def __init__(self, ja: str, en: str) -> None:
        super().__init__(f"{ja} / {en}")
        self.ja = ja
        self.en = en
