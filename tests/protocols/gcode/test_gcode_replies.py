import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import InvalidLine
from protocols.gcode import replies
from protocols.gcode.lines import decode, encode
from protocols.gcode.replies import ErrorKind, Ok, Reading, Resend, Temperatures
from protocols.gcode.reply_parser import parse_reply


@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_raise(noise: bytes) -> None:
    for prefix in (b"", b"ok ", b"Error:", b"Resend: ", b"T:", b"//action:", b"Cap:", b"X:"):
        parse_reply(prefix + noise)
    decode(noise)


SAID = [
    b"ok", b"ok N7 P15 B3", b"ok T:20.1 /0.0 B:60.0 /60.0 T1:22.0 /0.0 @:0", b"ok X:1.00 E:4.00",
    b" T:28.47 /200.00 W:?", b"TargetExtr0:210 TargetBed:60", b"X:1.00 Y:2.00 Z:3.00 Count X:80",
    b"Resend: 12", b"rs N12", b"Error:checksum mismatch, Last Line: 4", b"!! Shutdown",
    b"echo:busy: paused for user", b'echo:Unknown command: "M300"', b"//action:prompt_begin Out",
    b"FIRMWARE_NAME:Marlin 2.1 SOURCE_CODE_URL:https://x.y/z MACHINE_TYPE:A B", b"NAME. Malyan",
    b"Cap:AUTOREPORT_TEMP:1", b"[MP] PV01 ON NSP", b"File deleted:xok", b"start", b"wait",
    b"SD printing byte 123/4567", b"Not SD printing", b"File opened: a.g Size: 9",
]  # fmt: skip


@given(st.sampled_from(SAID), st.integers(0, 60), st.integers(0, 8), st.binary(max_size=12))
def test_nothing_that_noise_makes_of_what_firmwares_say_makes_the_reader_raise(
    said: bytes, at: int, lost: int, noise: bytes
) -> None:
    parse_reply(said[:at] + noise + said[at + lost :])


@given(
    st.integers(0, 10**9),
    st.from_regex(r"[GM][0-9]{1,3}( [XYZE][0-9.-]{1,6}){0,4}", fullmatch=True),
)
def test_what_is_encoded_decodes_to_the_same(number: int, command: str) -> None:
    frame = decode(encode(number, command))
    assert frame.intact
    assert (frame.number, frame.command) == (number, command)


@pytest.mark.parametrize("text", ["", "G1;x", "G1*5", "G1\nG2", "M117 é", "M117 " + "x" * 100])
def test_what_no_line_can_carry_is_refused(text: str) -> None:
    with pytest.raises(InvalidLine):
        encode(1, text)


@pytest.mark.parametrize(
    ("line", "number"),
    [(b"Resend: 12", 12), (b"Resend:12", 12), (b"resend 12", 12), (b"rs N12", 12), (b"rs 12", 12),
     (b"Resend: N:12", 12), (b"Resend:", None)],
)  # fmt: skip
def test_a_resend_request_is_understood_in_every_spelling(line: bytes, number: int | None) -> None:
    assert parse_reply(line) == Resend(number)


def test_an_ok_tells_what_follows_it() -> None:
    assert parse_reply(b"ok N7 P15 B3") == Ok(7, 15, 3)
    assert parse_reply(b"ok 123") == Ok(123)
    answer = parse_reply(b"ok T:20.1 /0.0 B:60.0 /60.0 T0:21.0 /0.0 T1:22.0 /0.0 @:0 B@:0")
    assert isinstance(answer, Ok)
    assert answer.readings == {
        "bed": Reading(60, 60), "tool0": Reading(21, 0), "tool1": Reading(22, 0),
    }  # fmt: skip


def test_temperatures_without_an_ok_are_told_from_positions() -> None:
    heating = parse_reply(b" T:28.47 /200.00 B:25.1 /0.00 @:127 W:?")
    assert heating == Temperatures({"tool0": Reading(28.47, 200), "bed": Reading(25.1, 0)})
    moved = parse_reply(b"X:1.00 Y:2.00 Z:3.00 E:4.00 Count X:80 Y:160 Z:1200")
    assert moved == replies.Position({"X": 1, "Y": 2, "Z": 3, "E": 4})


@pytest.mark.parametrize(
    ("line", "kind"),
    [(b"Error:checksum mismatch, Last Line: 4", ErrorKind.TRANSMISSION),
     (b"Error:Printer halted. kill() called!", ErrorKind.FATAL),
     (b": Extruder switched off. MINTEMP triggered !", ErrorKind.FATAL),
     (b"!! Shutdown", ErrorKind.FATAL),
     (b"Error:volume.init failed", ErrorKind.STORAGE),
     (b"Error:something else", ErrorKind.OTHER)],
)  # fmt: skip
def test_errors_are_told_apart(line: bytes, kind: ErrorKind) -> None:
    reply = parse_reply(line)
    assert isinstance(reply, replies.FirmwareError)
    assert reply.kind is kind


def test_only_a_line_that_is_start_alone_means_a_boot() -> None:
    assert parse_reply(b"start\r\n") == replies.Start()
    assert not isinstance(parse_reply(b"start of print"), replies.Start)


def test_identity_and_actions_are_read() -> None:
    info = parse_reply(b"FIRMWARE_NAME:Marlin 2.1 SOURCE_CODE_URL:https://x.y/z MACHINE_TYPE:A B")
    assert isinstance(info, replies.FirmwareInfo)
    assert info.values["SOURCE_CODE_URL"] == "https://x.y/z"
    assert info.values["MACHINE_TYPE"] == "A B"
    assert parse_reply(b"//action:notification Hello") == replies.ActionCommand(
        "notification", "Hello"
    )
    busy = parse_reply(b"echo:busy: paused for user")
    assert isinstance(busy, replies.Busy)
    assert busy.kind.needs_person
