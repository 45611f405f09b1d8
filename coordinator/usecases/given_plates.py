"""G-code that people bring: for which class of printers it is, and whether it may run there.

It is held against its class before anything is stored, as a slicer's is; what speaks against it is
told with the line. Where nobody says for which class it is, its owner vouches for it; each agent
holds it against its own printer in any case before the first line is sent.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import structlog

from coordinator.domain.plates import holds_gcode
from coordinator.domain.slicing import Verified
from coordinator.domain.stated import class_stated, printer_stated
from coordinator.errors import Refused, Unavailable
from coordinator.usecases.farm import Farm
from protocols.gcode.rules import Finding, Severity

log = structlog.get_logger(__name__)

BINARY_SUFFIX = ".bgcode"

# Text files have shorter lines; what is longer is no G-code, and must not be read whole.
LINE_CHARACTERS_MAX = 4096

# Slicers say for which printer it is within the first or the last lines; pictures come before them.
_END_BYTES = 256 * 1024

# So many findings are told in words; details hold all.
_TOLD_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What is known of a plate that was given.

    Attributes:
        printer_class: empty where nobody says for which it is.
        verified: its figures; None where it was held against nothing.
        remarks: for a person.
    """

    printer_class: str = ""
    verified: Verified | None = None
    remarks: tuple[str, ...] = ()


async def look_at(
    farm: Farm, gcode: Path, *, said_class: str, material: str, text: Path | None = None
) -> Given:
    """Find out what a file of G-code is.

    Args:
        said_class: what the person said, empty where they did not; so with the material.
        text: where the text of binary G-code goes; None: it is text.

    Raises:
        Refused: it is no G-code, or must not run on its class of printers.
        Unavailable: binary G-code can't be read now.
    """
    if text is None and not await asyncio.to_thread(_holds_gcode, gcode):
        raise Refused("not_gcode", "the file holds no G-code command")
    async with farm.store.read() as unit:
        classes = sorted({printer.printer_class for printer in await unit.printers()})
    stated = await asyncio.to_thread(_printer_stated, gcode)
    printer_class = said_class or class_stated(stated, classes)
    if not printer_class and len(classes) == 1:
        printer_class = classes[0]
    if not printer_class:
        if text is not None:
            raise Refused("class_not_stated", "say for which printer class this G-code is")
        return Given()
    try:
        verified = await farm.slicer.verify(
            gcode, printer_class=printer_class, material=material, text=text
        )
    except (Refused, Unavailable) as error:
        # A class that no profile describes, or nothing to verify with: as good as before.
        tells_nothing = isinstance(error, Unavailable) or error.code == "unknown_printer_class"
        if text is not None or not tells_nothing:
            raise
        log.warning("plate.unverified", printer_class=printer_class, reason=str(error))
        return Given(printer_class=printer_class, remarks=(f"not verified: {error}",))
    _refuse_unfit(verified, printer_class)
    remarks = [_in_words(each) for each in verified.findings]
    meant = class_stated(stated, [*classes, printer_class])
    if meant and meant != printer_class:
        remarks.insert(0, f"its slicer says that it is for {stated}")
    return Given(printer_class=printer_class, verified=verified, remarks=tuple(remarks))


def _refuse_unfit(verified: Verified, printer_class: str) -> None:
    against = [each for each in verified.findings if each.severity is Severity.REFUSE]
    if not against:
        return
    told = "; ".join(_in_words(each) for each in against[:_TOLD_MAX])
    more = len(against) - _TOLD_MAX
    raise Refused(
        "plate_unfit",
        f"it must not run on printers of class {printer_class}: {told}"
        + (f"; and {more} more" if more > 0 else ""),
        {
            "printer_class": printer_class,
            "findings": [
                {"line": each.line, "rule": each.rule, "words": each.words} for each in against
            ],
        },
    )


def _in_words(finding: Finding) -> str:
    return f"line {finding.line}: {finding.words}" if finding.line else finding.words


def _holds_gcode(path: Path) -> bool:
    with path.open(encoding="latin-1") as file:
        return holds_gcode(iter(lambda: file.readline(LINE_CHARACTERS_MAX), ""))


def _printer_stated(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(_END_BYTES)
        file.seek(max(len(head), path.stat().st_size - _END_BYTES))
        tail = file.read(_END_BYTES)
    return printer_stated((head + b"\n" + tail).decode("latin-1").splitlines())
