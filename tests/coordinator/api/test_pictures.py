"""Differences between two pictures make the one of the other."""

from collections.abc import Mapping
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from coordinator.api.pictures import COUNTS, JOBS, PRINTERS, Picture, applied, between, only

IDS = st.sampled_from("abcdef")
DOCUMENTS = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["idle", "busy"]),
        "live": st.none()
        | st.fixed_dictionaries(
            {
                "line": st.none() | st.integers(0, 2),
                "temperatures": st.dictionaries(
                    IDS, st.fixed_dictionaries({"actual_celsius": st.integers(0, 2)}), max_size=3
                ),
            }
        ),
    }
)
PICTURES = st.builds(
    Picture,
    printers=st.dictionaries(IDS, DOCUMENTS),
    jobs=st.dictionaries(IDS, DOCUMENTS),
    counts=st.dictionaries(st.sampled_from(["x", "y"]), st.integers(0, 2)),
)


@given(st.lists(PICTURES, min_size=1, max_size=5))
def test_who_hears_every_delta_shows_what_is_there(pictures: list[Picture]) -> None:
    shown = pictures[0]
    for before, after in pairwise(pictures):
        shown = applied(shown, between(before, after))
        assert shown == after


@given(PICTURES)
def test_nothing_is_told_where_nothing_changed(picture: Picture) -> None:
    assert between(picture, picture) == {}


@given(PICTURES, PICTURES)
def test_who_may_see_printers_hears_of_nothing_else(before: Picture, after: Picture) -> None:
    delta = only(between(before, after), {PRINTERS})
    assert delta.keys() <= {PRINTERS, "gone"}
    assert not delta.get("gone", {JOBS: []})[JOBS]
    assert applied(before, delta).printers == after.printers


def test_of_a_document_only_what_differs_is_told() -> None:
    old: Mapping[str, object] = {"status": "idle", "live": None}
    before = Picture(printers={"a": old, "b": old}, counts={"x": 1})
    after = Picture(printers={"a": old, "b": {"status": "busy", "live": None}}, counts={"x": 1})
    assert between(before, after) == {PRINTERS: {"b": {"status": "busy"}}}
    assert COUNTS not in between(before, after)


def test_of_what_a_printer_measures_only_what_changed_is_told_and_what_is_gone() -> None:
    warm = {"tool0": {"actual_celsius": 200}, "bed": {"actual_celsius": 60}}
    before = Picture(printers={"a": {"live": {"line": 1, "left": 9, "temperatures": warm}}})
    now = {"tool0": {"actual_celsius": 201}}
    after = Picture(printers={"a": {"live": {"line": 2, "left": 9, "temperatures": now}}})
    told = {"line": 2, "temperatures": {"tool0": {"actual_celsius": 201}, "bed": None}}
    assert between(before, after) == {PRINTERS: {"a": {"live": told}}}
