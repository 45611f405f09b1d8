"""Stands in for the firmware of a Prusa MK3S on a pty: as much as PrusaLink has to hear of one.

What it asks and what it reads out of the answers was found by running it. A dwell takes its time,
and ends early when a test is in a hurry.
"""

import os
import re
import select
import threading
import time
import tty
from collections.abc import Iterator

FIRMWARE = "3.14.0-8115"
SERIAL_NUMBER = "CZPX2021X004XK00001"
TELEMETRY_S = 2.0
READ_BYTES = 4096

_ASKED = {
    "M862.1": "0.40",
    "M862.2": "302",  # an MK3S
    "M220": "100%",
    "M221": "100%",
    "M420": "Mesh bed leveling not active.",
    "M27": "Not SD printing",
    "M21": "echo:SD init fail",
    "M601": "// action:paused",
    "M602": "// action:resumed",
    "M603": "// action:cancel",
}  # command -> what is said before its ok


class PrusaBoard:
    """One printer.

    Attributes:
        port: where it hangs.
        moved: the moves that it was told, in order.
    """

    def __init__(self) -> None:
        self._ours, theirs = os.openpty()
        tty.setraw(theirs)
        self.port = os.ttyname(theirs)
        self._theirs = theirs  # open, so that the line outlives who talks to it
        self.moved: list[str] = []
        self._memory = bytearray(4096)
        self._targets = {"M104": 0.0, "M109": 0.0, "M140": 0.0, "M190": 0.0}
        self._hurried, self._closed = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="prusa board")
        self._thread.start()

    def hurry(self) -> None:
        """Dwell no longer, until `dawdle`."""
        self._hurried.set()

    def dawdle(self) -> None:
        """Dwell as told."""
        self._hurried.clear()

    def close(self) -> None:
        """Be gone, as after a power cut."""
        self._closed.set()
        self._hurried.set()
        self._thread.join()
        os.close(self._ours)
        os.close(self._theirs)

    # ------------------------------------------------------------------ the line

    def _run(self) -> None:
        rest, told_s = b"", time.monotonic()
        while not self._closed.is_set():
            if select.select([self._ours], [], [], 0.05)[0]:
                *lines, rest = (rest + os.read(self._ours, READ_BYTES)).split(b"\n")
                for line in lines:
                    self._say(*self._obey(line.decode(errors="replace").strip()))
            if time.monotonic() > told_s + TELEMETRY_S:
                told_s = time.monotonic()
                self._say(*self._telemetry())

    def _say(self, *lines: str) -> None:
        for line in lines:
            os.write(self._ours, f"{line}\n".encode())

    def _telemetry(self) -> Iterator[str]:
        tool = max(self._targets["M104"], self._targets["M109"], 21.0)
        bed = max(self._targets["M140"], self._targets["M190"], 20.0)
        heat = f"T:{tool:.1f} /{tool:.1f} B:{bed:.1f} /{bed:.1f} T0:{tool:.1f} /{tool:.1f}"
        yield f"{heat} @:0 B@:0 P:0.0 A:25.0"
        yield "X:0.00 Y:0.00 Z:0.00 E:0.00 Count X: 0.00 Y:0.00 Z:0.00 E:0.00"
        yield "E0:0 RPM PRN1:0 RPM E0@:0 PRN1@:0"

    # ------------------------------------------------------------------ commands

    def _obey(self, line: str) -> Iterator[str]:
        said = re.sub(r"^N\d+ *|\*\d+$", "", line).strip()
        if not said or said.startswith(";"):
            return
        name, *words = said.split()
        values = {word[0]: word[1:] for word in words}
        match name:
            case "PRUSA":
                yield {"Fir": FIRMWARE, "SN": SERIAL_NUMBER}.get(words[0], "")
            case "D3":
                yield from self._eeprom(values)
            case "M20":
                yield from ("Begin file list", "End file list")
            case "M73":
                left = "Percent done: -1; print time remaining in mins: -1; Change in mins: -1"
                yield from (f"NORMAL MODE: {left}", f"SILENT MODE: {left}")
            case "G4":
                self._hurried.wait(float(values.get("P", 0)) / 1000)
            case "G0" | "G1" | "G28":
                self.moved.append(said)
            case "M104" | "M109" | "M140" | "M190":
                self._targets[name] = float(values.get("S", 0))
            case _ if name in _ASKED:
                yield _ASKED[name]
        yield "ok"

    def _eeprom(self, values: dict[str, str]) -> Iterator[str]:
        """Read or write what survives a power cut: `D3 Ax0d05 C4`, `D3 Ax0d05 X00000001`."""
        start = int(values["A"].removeprefix("x"), 16)
        if "X" in values:
            data = bytes.fromhex(values["X"])
            self._memory[start : start + len(data)] = data
        count = int(values.get("C", 0)) or len(values.get("X", "")) // 2
        for at in range(start, start + count, 16):
            row = self._memory[at : min(at + 16, start + count)]
            yield f"{at:04x}  {row.hex(' ')}"
