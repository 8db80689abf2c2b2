"""Every word has its English, every noun's catalogue just the words that its files ask for, shared terms once."""

import pytest

from hagukumi.kit import catalog


@pytest.mark.parametrize("noun", catalog.NOUNS)
def test_english_is_complete(noun):
    assert catalog.problems(noun) == []


def test_a_word_has_one_english():
    seen = {}
    for noun in catalog.NOUNS:
        for message in catalog.load(noun):
            if message.id:
                key = (message.id if isinstance(message.id, str) else tuple(message.id), message.context)
                assert key not in seen, f"{noun} and {seen[key]} both translate {message.id!r}"
                seen[key] = noun


def test_a_file_belongs_to_the_noun_of_its_folder():
    belongs = {
        "people/leads/services.py": "people/leads",
        "people/identity/intake.py": "people/imports",
        "screens/sales/deals/views.py": "sales/deals",
        "integrations/api/segments.py": "judge/segments",
        "screens/collect/forms/form.html": "collect/forms",
        "screens/shell/base.html": "shell",
        "accounts/models.py": "settings/accounts",
        "ledger/services.py": "shell",
    }
    assert {name: catalog.noun_of(catalog.SOURCE / name) for name in belongs} == belongs


def test_one_word_has_one_english():
    assert catalog.contradictions() == []


def test_a_word_with_two_english_is_told(monkeypatch):
    def said(noun):
        found = catalog._blank()
        if noun in ("shell", "people/leads"):
            found.add("対象外", "Left out" if noun == "shell" else "Skipped")
        return found

    monkeypatch.setattr(catalog, "load", said)
    assert len(catalog.contradictions()) == 1
    assert "対象外" in catalog.contradictions()[0]


def test_a_word_that_no_reader_collects_is_told(monkeypatch, tmp_path):
    (tmp_path / "talk.py").write_text('WORDS = {"talked": profile.gettext_lazy("話せた")}\n', encoding="utf-8")
    monkeypatch.setattr(catalog, "SOURCE", tmp_path)
    assert list(catalog._unseen("shell")) == ["not collected: talk.py:1: profile.gettext_lazy"]
