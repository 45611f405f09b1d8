"""What providers' answers mean, their events, and their options: all without a server."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.adapters.providers.blaming import (
    Reply,
    Spoken,
    after_of,
    blame_of,
    clean,
    fault_of,
    read_plainly,
)
from coordinator.adapters.providers.options import HttpOptions, key_of, options_of
from coordinator.adapters.providers.sse import EVENT_CHARACTERS_MAX, EventReader, ServerEvent
from coordinator.domain.providing import Blame, ProviderFault
from coordinator.errors import SettingsInvalid

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)


class Somewhere(HttpOptions):
    base_url: str = "https://api.example.test"
    at_once_max: int = 3


def reply(status: int, body: bytes = b"", *, paid: bool = False, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, headers=named, body=body, paid=paid)


@given(st.integers(100, 599))
def test_only_a_refusal_says_that_a_paid_call_made_nothing(status: int) -> None:
    blame = blame_of(status, paid=True)
    assert (blame is Blame.SUBMIT_UNSURE) == (not 300 <= status < 500)


@pytest.mark.parametrize(
    ("status", "blame"),
    [
        (400, Blame.INVALID_INPUT),
        (401, Blame.AUTH_CONFIG),
        (402, Blame.QUOTA),
        (403, Blame.AUTH_CONFIG),
        (404, Blame.EXPIRED),
        (408, Blame.RETRY_SAFE),
        (422, Blame.INVALID_INPUT),
        (425, Blame.RETRY_SAFE),
        (429, Blame.WAIT_SLOT),
        (503, Blame.RETRY_SAFE),
    ],
)
def test_a_status_of_a_call_that_costs_nothing_tells_what_to_do(status: int, blame: Blame) -> None:
    assert blame_of(status, paid=False) is blame


def test_an_endpoint_that_is_not_there_is_the_settings_matter() -> None:
    assert blame_of(404, paid=True) is Blame.AUTH_CONFIG


def test_when_to_try_again_is_told_in_seconds_or_as_a_date() -> None:
    assert after_of({"retry-after": "7"}, NOW) == 7
    later = format_datetime(NOW + timedelta(seconds=90), usegmt=True)
    assert after_of({"retry-after": later}, NOW) == 90
    assert after_of({"retry-after": format_datetime(NOW - timedelta(days=1))}, NOW) == 0
    assert after_of({"retry-after": "soon"}, NOW) is None
    assert after_of({"retry-after": "9" * 9}, NOW) == 7 * 24 * 3600
    spent = {"x-ratelimit-remaining": "0"}
    assert after_of({**spent, "x-ratelimit-reset": "12"}, NOW) == 12
    assert after_of({**spent, "x-ratelimit-reset": str(int(NOW.timestamp()) + 30)}, NOW) == 30
    assert after_of({"x-ratelimit-remaining": "5", "x-ratelimit-reset": "12"}, NOW) is None


def test_no_key_picture_or_signature_is_shown() -> None:
    said = (
        "\x1b[31mbad key msy_secret for data:image/png;base64,iVBORw0KGgo= at "
        "https://assets.example.test/a.stl?Expires=9&Signature=abc"
    )
    shown = clean(said, ["msy_secret"])
    assert shown == "[31mbad key *** for data:... at https://assets.example.test/a.stl?..."
    assert len(clean("x" * 10_000_000)) == 300


def test_a_key_is_not_shown_where_the_cut_goes_through_it() -> None:
    assert "secret" not in clean("x" * 295 + "msy_secret", ["msy_secret"])


@given(st.binary(max_size=200) | st.text().map(lambda said: json.dumps({"message": said}).encode()))
def test_whatever_an_answer_holds_its_fault_is_plain_words(body: bytes) -> None:
    answer = reply(500, body, paid=True)
    fault = fault_of("Meshy", answer, read_plainly(answer), now=NOW)
    assert fault.blame is Blame.SUBMIT_UNSURE
    assert fault.message.startswith("Meshy answered 500")
    assert fault.message.isprintable()


def test_what_a_provider_says_itself_goes_before_the_status() -> None:
    spoken = Spoken(blame=Blame.WAIT_SLOT, code="NoMoreConcurrentTasks", message="full")
    fault = fault_of("Meshy", reply(429, x_request_id="r-1"), spoken, now=NOW)
    assert (fault.blame, fault.code) == (Blame.WAIT_SLOT, "NoMoreConcurrentTasks")
    assert (fault.request_id, str(fault)) == ("r-1", "Meshy answered 429: full")


def test_an_answer_without_sense_leaves_a_paid_call_open() -> None:
    for body in (b"<html>", b"[]", b'{"result": 5}', b"[" * 100_000):
        for paid, blame in ((True, Blame.SUBMIT_UNSURE), (False, Blame.PROTOCOL)):
            with pytest.raises(ProviderFault) as caught:
                reply(202, body, paid=paid).text_at("result")
            assert caught.value.blame is blame


EVENTS = st.lists(
    st.builds(
        ServerEvent,
        st.sampled_from(["message", "error", "ü"]),
        st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"]), max_size=20),
    )
)


@given(EVENTS, st.sampled_from(["\n", "\r\n", "\r"]), st.integers(1, 7))
def test_events_arrive_whole_however_the_bytes_are_cut(
    events: list[ServerEvent], end: str, step: int
) -> None:
    text = f": a sign of life{end}{end}"
    for event in events:
        text += f"event: {event.name}{end}id: 5{end}"
        text += "".join(f"data: {line}{end}" for line in event.data.split("\n")) + end
    data = text.encode()
    reader = EventReader()
    seen = [
        event
        for start in range(0, len(data), step)
        for event in reader.feed(data[start : start + step])
    ]
    assert seen == events


def test_an_event_without_end_is_noticed() -> None:
    reader = EventReader()
    assert list(reader.feed(b"data: " + b"x" * (EVENT_CHARACTERS_MAX - 10))) == []
    assert not reader.too_long
    assert list(reader.feed(b"x" * 100)) == []
    assert reader.too_long


def test_options_are_read_and_an_address_loses_its_last_slash() -> None:
    options = options_of(Somewhere, "mine", {"base_url": "http://127.0.0.1:9/x/", "at_once_max": 5})
    assert (options.base_url, options.at_once_max) == ("http://127.0.0.1:9/x", 5)


@pytest.mark.parametrize(
    ("given_options", "words"),
    [
        ({"api_kee": "hush"}, "there is no setting 'providers.mine.api_kee'; there are api_key"),
        ({"base_url": "ftp://hush"}, "'providers.mine.base_url' can't be used: write https://HOST"),
        ({"base_url": "https://u:hush@x"}, "an address here has no user"),
        ({"at_once_max": "hush"}, "'providers.mine.at_once_max' can't be used"),
        ({"call_s": float("nan")}, "'providers.mine.call_s' can't be used"),
    ],
)
def test_wrong_options_are_told_without_their_value(
    given_options: dict[str, object], words: str
) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        options_of(Somewhere, "mine", given_options)
    assert words in str(caught.value)
    assert "hush" not in str(caught.value)


def test_a_key_comes_from_the_settings_or_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("msy_1\n")
    assert key_of("mine", options_of(Somewhere, "mine", {"api_key": "msy_0"})) == "msy_0"
    assert key_of("mine", options_of(Somewhere, "mine", {"api_key_file": str(file)})) == "msy_1"
    assert key_of("mine", Somewhere(), needed=False) == ""
    assert "msy_0" not in repr(options_of(Somewhere, "mine", {"api_key": "msy_0"}))


@pytest.mark.parametrize(
    ("given_options", "words"),
    [
        ({}, "needs an api_key"),
        ({"api_key": "a", "api_key_file": "b"}, "both set"),
        ({"api_key_file": "/nowhere/at/all"}, "can't be read"),
        ({"api_key": "two words"}, "no key has"),
        ({"api_key": "two\r\nlines"}, "no key has"),
    ],
)
def test_a_key_that_is_none_is_refused(given_options: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsInvalid, match=words):
        key_of("mine", options_of(Somewhere, "mine", given_options))
