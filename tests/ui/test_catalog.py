"""Every word has its English, every room's catalogue just the words that its files ask for."""

import pytest

from hagukumi.kit import catalog


@pytest.mark.parametrize("room", ["house", *catalog.ROOMS])
def test_english_is_complete(room):
    assert catalog.problems(room) == []


def test_rooms_agree_on_a_word():
    assert catalog.conflicts() == []


def test_a_file_belongs_to_the_room_of_its_folder():
    belongs = {
        "leads/services.py": "leads",
        "ui/deals.py": "deals",
        "api/segments.py": "segments",
        "ui/templates/forms/form.html": "forms",
        "ui/templates/base.html": "house",
        "ui/members.py": "accounts",
        "ui/words.py": "house",
        "ledger/services.py": "house",
    }
    assert {name: catalog.room_of(catalog.SOURCE / name) for name in belongs} == belongs
