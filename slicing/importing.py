"""A user's own profiles, taken over into files of ours through a white list.

What is understood becomes a printer class, a material or a quality in our words; the rest is named
as not taken. Scripts have no way through: nothing is copied, everything is translated.
"""

import json
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from slicing import orca_keys
from slicing.bundles import parse_sections, read_presets
from slicing.errors import OutputUnwritable, ProfileInvalid
from slicing.importing_toml import toml_of
from slicing.printer import Printer
from slicing.profiles import Material, Quality
from slicing.prusaslicer_gcode import start_and_end
from slicing.prusaslicer_keys import Keys, material_of, printer_of, quality_of
from slicing.request import ImportRequest

# A project's settings have some 100 kB; G-code is read at its end, where the block lies.
_FILE_BYTES_MAX = 16 * 1024 * 1024
_TAIL_BYTES = 256 * 1024

_FOLDERS = {Printer: "printers", Material: "materials", Quality: "profiles"}
_GCODE_BEGINS, _GCODE_ENDS = "; prusaslicer_config = begin", "; prusaslicer_config = end"

# Which keys tell that a flat configuration holds a printer, a filament, a print preset.
_SIGNS = {"printer": "bed_shape", "filament": "filament_diameter", "print": "perimeters"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import did.

    Attributes:
        files: paths of the profiles that were made.
        names: what each is called: `printers/my-printer`.
        not_taken: keys that have no counterpart, or are not let through.
        warnings: sentences for a person.
    """

    files: tuple[str, ...]
    names: tuple[str, ...]
    not_taken: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One foreign profile in our words."""

    profile: Printer | Material | Quality
    taken: frozenset[str]
    left: frozenset[str]
    warnings: tuple[str, ...] = ()


def take(request: ImportRequest) -> Imported:
    """Read a file and write what is understood of it as profiles of ours.

    Raises:
        ProfileInvalid: it is none of the kinds that are read, or holds values that can't be.
        OutputUnwritable: a file of that name is there already, or the folder can't be written.
    """
    found = list(_read(request))
    if not found:
        raise ProfileInvalid(
            f"{request.path.name} holds no profile that is understood: export one from PrusaSlicer "
            "(File > Export Config), OrcaSlicer or Bambu Studio.",
            file=str(request.path),
        )
    places = [
        (request.into / _FOLDERS[type(one.profile)] / f"{one.profile.name}.toml", one.profile)
        for one in found
    ]
    _write(places, source=request.path.name)
    return Imported(
        files=tuple(str(path) for path, _ in places),
        names=tuple(f"{path.parent.name}/{path.stem}" for path, _ in places),
        # A flat file holds all three kinds, and each takes its own.
        not_taken=tuple(
            sorted(
                frozenset[str]().union(*(one.left for one in found))
                - frozenset[str]().union(*(one.taken for one in found))
            )
        ),
        warnings=tuple(words for one in found for words in one.warnings),
    )


def name_from(text: str) -> str:
    """Return a name as ours are: small letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).lstrip("-")[:60].strip("-") or "imported"


def _read(request: ImportRequest) -> Iterable[Found]:
    path = request.path
    text = foreign_text(path)
    try:
        if text.lstrip().startswith("{"):
            keys = orca_keys.flattened(json.loads(text), (path.parent, *request.beside))
            kinds = orca_keys.kinds(keys)
            translated, left = orca_keys.translated(keys)
            title = request.name or orca_keys.title(keys, path.name.partition(".")[0])
            return [_found(kind, translated, title, left) for kind in kinds]
        return list(_from_prusaslicer(text, path, request.name))
    except ProfileInvalid:
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise ProfileInvalid(
            f"{path.name} holds values that can't be right: {str(error).splitlines()[0]}.",
            file=str(path),
        ) from error


def foreign_text(path: Path) -> str:
    """Return the settings in a file, whatever they are wrapped in.

    Raises:
        ProfileInvalid: it can't be read, or is too large.
    """
    try:
        if zipfile.is_zipfile(path):
            return _project_text(path)
        with path.open("rb") as file:
            size = file.seek(0, 2)
            if path.suffix.lower() in (".gcode", ".gco", ".g"):
                file.seek(max(0, size - _TAIL_BYTES))
                return _gcode_block(file.read().decode("utf-8", "replace"))
            if size > _FILE_BYTES_MAX:
                raise ProfileInvalid(f"{path.name} is too large for profiles.", file=str(path))
            file.seek(0)
            return file.read().decode("utf-8", "replace")
    except (OSError, zipfile.BadZipFile) as error:
        raise ProfileInvalid(f"{path.name} can't be read: {error}.", file=str(path)) from error


def _project_text(path: Path) -> str:
    """Return the designer's settings in a 3MF."""
    wanted = ("Metadata/project_settings.config", "Metadata/Slic3r_PE.config")
    with zipfile.ZipFile(path) as archive:
        for name in wanted:
            if name in archive.namelist():
                if archive.getinfo(name).file_size > _FILE_BYTES_MAX:
                    raise ProfileInvalid(f"{path.name} is too large for profiles.", file=str(path))
                text = archive.read(name).decode("utf-8", "replace")
                return text if text.lstrip().startswith("{") else _uncommented(text)
    return ""


def _gcode_block(text: str) -> str:
    return _uncommented(text.partition(_GCODE_BEGINS)[2].partition(_GCODE_ENDS)[0])


def _uncommented(text: str) -> str:
    return "\n".join(line.removeprefix("; ") for line in text.splitlines())


def _from_prusaslicer(text: str, path: Path, wanted: str) -> Iterable[Found]:
    flat = parse_sections(text)[""]
    if flat:
        ids = {"printer": "printer_settings_id", "print": "print_settings_id"}
        for kind, sign in _SIGNS.items():
            if sign in flat:
                own = flat.get(ids.get(kind, "filament_settings_id"), "").strip('" ')
                yield _found(kind, flat, wanted or own or path.name.partition(".")[0])
    for preset in read_presets(text, path):
        yield _found(preset.kind, preset.keys, wanted or preset.name)


def _found(
    kind: str, values: Mapping[str, str], title: str, left: frozenset[str] = frozenset()
) -> Found:
    keys, warnings = Keys(values), list[str]()
    profile: Printer | Material | Quality
    if kind == "printer":
        start, end, warnings = start_and_end(keys)
        profile = printer_of(keys, name_from(title), title, start_gcode=start, end_gcode=end)
        warnings.append(
            f"{title}: the slicer does not tell how hot it may get: check celsius_max and "
            "bed_celsius_max in its file."
        )
    elif kind == "filament":
        profile = material_of(keys, name_from(title), title)
    else:
        profile = quality_of(keys, name_from(title), title)
    return Found(
        profile=profile,
        taken=frozenset(keys.taken),
        left=left | frozenset(values),
        warnings=tuple(warnings),
    )


def _write(places: list[tuple[Path, Printer | Material | Quality]], *, source: str) -> None:
    """Write all files, or none where one of that name is there already."""
    paths = [path for path, _ in places]
    for path in paths:
        if path.exists() or paths.count(path) > 1:
            raise OutputUnwritable(
                f"{path} is there already: nothing is replaced; give another name, or remove it.",
                path=str(path),
            )
    try:
        for path, profile in places:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(toml_of(profile, source=source), encoding="utf-8")
    except OSError as error:
        raise OutputUnwritable(
            f"{path} can't be written ({error.strerror}).", path=str(path)
        ) from error
