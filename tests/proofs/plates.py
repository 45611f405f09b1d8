"""Bad plates are refused with the right line, good ones never: `prove plates --bad 200 --good 100`.

Bad ones are good ones with one change each, for every rule in turn; each is read twice, by the
scan of slicing and by the agent's survey. Good ones come from every slicer that is installed, for
every class of printers, and from files that people made.
"""

import argparse
import io
import itertools
import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from protocols.gcode.rules import RULES, Finding, Severity, judge
from protocols.gcode.survey import survey
from slicing.catalogue import Catalogue
from slicing.errors import SlicingError
from slicing.profiles import Printer, merge
from slicing.prusaslicer_ini import ini
from slicing.registry import engine_names, open_engine
from slicing.scan import scan_file
from slicing.verify import dialect_of, limits_of
from tests.proofs.bad_plates import SPOILERS, BadPlate, spoil

ROOT = Path(__file__).parents[2]
BARN = ROOT / "configs" / "dev" / "barn.stl"
REAL = ROOT.parent / "shared" / "data" / "gcode"
# No plates for this farm: a plasma cutter's.
NOT_PRINTS = frozenset({"mach3.gcode"})
STRICT = dict.fromkeys(RULES, Severity.REFUSE)
CATALOGUE = Catalogue()
PRINTER = CATALOGUE.printer("farmhand-220")


def refusals(text: bytes, printer: Printer, *, strict: bool) -> list[list[Finding]]:
    """Return what refuses a plate, as the scan and as the survey find it."""
    limits, dialect = limits_of(printer, "PLA" if strict else ""), dialect_of(printer)
    found = []
    for read in (scan_file(io.BytesIO(text)), survey(io.BytesIO(text))):
        all_findings = judge(read, limits, dialect, STRICT if strict else RULES)
        found.append([each for each in all_findings if each.severity is Severity.REFUSE])
    return found


def missed(plate: BadPlate) -> str:
    """Return why a bad plate was not refused as it has to be; empty where it was."""
    for findings in refusals(plate.text, PRINTER, strict=True):
        if (plate.rule, plate.line) not in [(each.rule, each.line) for each in findings]:
            told = ", ".join(f"{each.rule} in {each.line}" for each in findings) or "nothing"
            return f"{plate.rule} in line {plate.line} was told as: {told}"
    return ""


def bad_plates(good: bytes, count: int, chance: random.Random) -> Iterator[BadPlate]:
    """Yield bad plates, every rule in turn."""
    for rule in itertools.islice(itertools.cycle(SPOILERS), count):
        yield spoil(good, rule, chance)


def good_plates(folder: Path) -> Iterator[tuple[str, Printer, bytes]]:
    """Yield plates without end, slicers in turn: what made it, for which printer, and its text."""
    mk3 = CATALOGUE.printer("prusa-mk3s")
    for path in sorted(REAL.glob("*.gcode")):
        if path.name not in NOT_PRINTS:
            yield path.stem, mk3, path.read_bytes()
    wishes = itertools.product(
        ("draft", "standard", "fine"), (10, 25, 40, 60), (0, 5), CATALOGUE.printers()
    )
    for number, (quality, infill, brim, printer) in enumerate(wishes):
        settings = {"infill": infill, "brim": brim, "supports": number % 2 == 0}
        for engine in _installed():
            text = _sliced(engine, folder, printer, quality, settings)
            yield engine, printer, text
        if shutil.which("slic3r"):
            yield "slic3r", printer, _by_slic3r(folder, printer, quality)


def main(argv: Sequence[str]) -> int:
    """Run the proof; returns 0 where no plate was judged wrongly, else 1."""
    parser = argparse.ArgumentParser(prog="farmhand prove plates", description=__doc__)
    parser.add_argument("--bad", type=int, default=200)
    parser.add_argument("--good", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args(argv)
    wrong: list[str] = []
    makers: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as name:
        base = _sliced("prusaslicer", Path(name), PRINTER, "draft", {})
        chance = random.Random(wanted.seed)
        wrong += filter(None, map(missed, bad_plates(base, wanted.bad, chance)))
        sys.stdout.write(f"{wanted.bad} bad plates, {len(wrong)} not refused as they have to be\n")
        for maker, printer, text in itertools.islice(good_plates(Path(name)), wanted.good):
            makers[maker] = makers.get(maker, 0) + 1
            for findings in refusals(text, printer, strict=False):
                wrong += [f"{maker} for {printer.name}: {each}" for each in findings]
    sys.stdout.write(f"{sum(makers.values())} good plates: {makers}\n")
    sys.stdout.write("".join(f"wrong: {each}\n" for each in wrong) or "none judged wrongly\n")
    return 1 if wrong else 0


def _installed() -> list[str]:
    found = []
    for name in engine_names():
        try:
            open_engine(name).installation()
        except SlicingError:
            continue
        found.append(name)
    return found


def _sliced(
    engine: str, folder: Path, printer: Printer, quality: str, settings: dict[str, object]
) -> bytes:
    output = folder / "plate.gcode"
    request = {
        "kind": "slice",
        "model_path": str(BARN),
        "printer": printer.name,
        "material": "PLA",
        "quality": quality,
        "engine": engine,
        "settings": settings,
        "output_path": str(output),
    }
    command = [sys.executable, "-m", "slicing"]
    ended = subprocess.run(
        command, input=json.dumps(request), capture_output=True, text=True, check=False
    )
    said = json.loads(ended.stdout.splitlines()[-1])
    if said["kind"] != "result":
        raise SystemExit(f"{engine} made no plate: {said['message']}")
    return output.read_bytes()


def _by_slic3r(folder: Path, printer: Printer, quality: str) -> bytes:
    """Slice with Slic3r, which takes most of PrusaSlicer's keys."""
    wanted = merge(printer, CATALOGUE.material("PLA"), CATALOGUE.quality(quality))
    config, output = folder / "slic3r.ini", folder / "slic3r.gcode"
    text = (
        ini(wanted, part_height_mm=40.0)
        .replace("marlin2", "reprap")
        .replace("= marlin", "= reprap")
    )
    config.write_text(text)
    command = ["slic3r", "--no-gui", "--load", config, "-o", output]
    x_mm, y_mm = printer.bed.size_mm
    subprocess.run(
        [*command, "--print-center", f"{x_mm / 2:g},{y_mm / 2:g}", BARN],
        check=True,
        capture_output=True,
    )
    return output.read_bytes()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
