from agent.printers.transcript import Transcript
from protocols.gcode import meatpack
from protocols.gcode.meatpack import pack


def test_packed_lines_are_shown_as_they_were_meant() -> None:
    transcript = Transcript()
    for data in (b"N1 M115*39\n", meatpack.SWITCH_ON, pack(b"N2 G28*16\n"), pack(b"N3 M84*1\n")):
        transcript.note(1.0, ">", data)
    transcript.note(1.5, "<", b"ok\n")
    shown = [(spoken.way, spoken.text) for spoken in transcript.spoken()]
    assert shown == [(">", "N1 M115*39"), (">", "N2 G28*16"), (">", "N3 M84*1"), ("<", "ok")]
    for _ in range(400):
        transcript.note(2.0, ">", pack(b"N4 G1 X1 Y1*1\n"))
    assert transcript.spoken()[-1].text == "N4 G1 X1 Y1*1"
