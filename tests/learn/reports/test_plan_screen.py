"""The planning screen: a house without history asks for its yields; nothing is wrong before anybody has typed."""

import pytest

pytestmark = pytest.mark.django_db
STAGES = ("reacted", "mql", "sql", "deal", "won")


def test_it_opens_without_an_error_where_no_stage_was_ever_reached(signed_in, marketer):
    page = signed_in(marketer).get("/plan/").content.decode()
    assert "invalid-feedback" not in page and "is-invalid" not in page
    assert "まだ実績のない段階があります" in page


def test_what_was_typed_wrong_is_said_beside_its_field(signed_in, marketer):
    rates = {f"rate_{stage}": "50" for stage in STAGES} | {"rate_won": "0"}
    page = signed_in(marketer).get("/plan/", {"target": "3", **rates}).content.decode()
    assert page.count("invalid-feedback") == 1 and "まだ実績のない段階があります" not in page


def test_yields_that_are_typed_in_give_the_numbers(signed_in, marketer):
    rates = {f"rate_{stage}": "50" for stage in STAGES}
    page = signed_in(marketer).get("/plan/", {"target": "3", **rates}).content.decode()
    assert ">96<" in page.replace("\n", "").replace(" ", "")  # 3 / 0.5^5
