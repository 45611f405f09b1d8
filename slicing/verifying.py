"""The request `verify`: a ready plate held against a class of printers, with its figures."""

import tempfile
from dataclasses import asdict, replace
from pathlib import Path

from protocols.gcode.rules import Severity
from slicing import bgcode, provenance
from slicing.catalogue import Catalogue
from slicing.errors import ModelBroken, ModelEmpty, ModelMissing, ModelTooComplex, OutputUnwritable
from slicing.look_ahead import Estimate, estimate, machine_of
from slicing.request import VerifyRequest
from slicing.results import VerifyResult
from slicing.scan import Scan
from slicing.verify import as_documents, findings


def verify_plate(request: VerifyRequest) -> VerifyResult:
    """Return what a plate amounts to, and what speaks against it.

    Raises:
        SlicingError: it can't be read, or the printer or the material is not known.
    """
    path = request.gcode_path
    catalogue = Catalogue(request.configs)
    printer = catalogue.printer(request.printer)
    _check_size(path, request.limits.model_bytes_max)
    with tempfile.TemporaryDirectory(prefix="farmhand-verify-") as folder:
        text_path = path
        if bgcode.is_binary(path):
            text_path = request.text_path or Path(folder) / "plate.gcode"
            try:
                bgcode.write_text(path, text_path, bytes_max=request.limits.output_bytes_max)
            except BaseException as error:
                text_path.unlink(missing_ok=True)
                if isinstance(error, OSError):
                    raise OutputUnwritable(
                        f"The plate's text can't be stored as {text_path} ({error.strerror}).",
                        path=str(text_path),
                    ) from error
                raise
        found, time = estimate(text_path, machine_of(printer))
        said = provenance.read(text_path)
    judged = findings(found, printer, material=request.material, policy=request.policy)
    return replace(_result(request, found, time, as_documents(judged)), provenance=said)


def _result(
    request: VerifyRequest, found: Scan, time: Estimate, judged: list[dict[str, object]]
) -> VerifyResult:
    header = found.header
    drawn_mm = sum(found.filament_mm.values())
    accepted = all(each["severity"] != Severity.REFUSE for each in judged)
    return VerifyResult(
        printer=request.printer,
        accepted=accepted,
        findings=tuple(judged),
        slicer=f"{header.slicer} {header.version}".strip(),
        material=header.material,
        nozzle_mm=header.nozzle_mm,
        time_s=time.time_s,
        time_source=time.source,
        planned_s=time.planned_s,
        filament_mm=round(drawn_mm, 2),
        filament_g=header.filament_g,
        filament_by_tool_mm={str(tool): length for tool, length in found.filament_mm.items()},
        layers=found.layer_count,
        bounds_mm=found.bounds_mm,
        celsius={name: most for name, (most, _) in found.extremes.celsius.items()},
        tool_changes=found.tool_changes,
        features=found.features,
        objects=found.objects,
        thumbnails=tuple(asdict(each) for each in header.thumbnails),
        lines=found.lines,
        size_bytes=found.size_bytes,
        sha256=found.sha256,
        provenance={},
    )


def _check_size(path: Path, bytes_max: int) -> None:
    try:
        size_bytes = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise ModelMissing(
            f"The plate {path} can't be read ({error.strerror}): check the path."
        ) from error
    if not head:
        raise ModelEmpty("The plate is empty: export or upload it again.")
    if size_bytes > bytes_max:
        raise ModelTooComplex(
            f"The plate has {size_bytes / 1e6:,.0f} MB, and {bytes_max / 1e6:,.0f} is the limit.",
            size_bytes=size_bytes,
            size_bytes_max=bytes_max,
        )
    if b"\0" in head and not head.startswith(bgcode.MAGIC):
        raise ModelBroken("The file is no G-code: it is neither text nor binary G-code.")
