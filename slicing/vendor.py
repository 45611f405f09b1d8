"""Printers called `vendor/VENDOR/PRESET`: the presets that came with the slicer on this machine.

Only bundles beside the installed PrusaSlicer are read, so that they are of its own version: newer
ones use variables that an older program refuses.
"""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from slicing.bundle_conditions import ConditionInvalid, holds
from slicing.bundles import Bundle, Preset, read_bundle, words_of
from slicing.errors import EngineMissing, ProfileInvalid, ProfileUnknown
from slicing.profiles import Configuration, Native, Overrides, Printer
from slicing.prusaslicer_keys import Keys, material_of, printer_of, quality_of
from slicing.prusaslicer_wishes import changed

PREFIX = "vendor/"
ENGINE = "prusaslicer"

# From the folder of the program: as Linux, macOS and Windows lay it out.
_PLACES = ("../share/PrusaSlicer/profiles", "../Resources/profiles", "resources/profiles")
_PROGRAMS = (
    "prusa-slicer",
    "PrusaSlicer",
    "/Applications/PrusaSlicer.app/Contents/MacOS/PrusaSlicer",
)

# What people call a material, where a preset's type says otherwise.
_TYPES = {"TPU": ("TPU", "FLEX")}

# Keys of a preset that say when it may be chosen, and nothing to the slicer.
_CHOOSING = ("compatible_", "default_", "inherits", "renamed_from", "alias")


def bundles_folder() -> Path:
    """Return the folder of the bundles that came with the installed slicer.

    Raises:
        EngineMissing: it is not installed, or brings none.
    """
    for program in _PROGRAMS:
        if found := shutil.which(program):
            beside = Path(found).resolve().parent
            for place in _PLACES:
                if (beside / place).is_dir():
                    return (beside / place).resolve()
    raise EngineMissing(
        "Vendors' printers come with PrusaSlicer, which is not installed here with its profiles: "
        "install it (Debian: apt install prusa-slicer), or choose a printer class of our own."
    )


def bundles(folder: Path | None = None) -> Iterable[Bundle]:
    """Yield every vendor's bundle, by name; raises as `bundles_folder` and `read_bundle` do."""
    for path in sorted((folder or bundles_folder()).glob("*.ini")):
        yield read_bundle(path)


def printer(name: str) -> Printer:
    """Return a vendor's printer; raises as `configuration` does."""
    return _printer(name, _find(name)[1].keys)


def configuration(
    name: str, material: str, quality: str, wishes: Overrides, *, heights_mm: Mapping[str, float]
) -> Configuration:
    """Return a vendor's printer with presets that are compatible with it.

    Args:
        name: `vendor/VENDOR/PRESET`.
        material: a filament preset by name or alias, or a type such as `petg`.
        quality: a print preset by name or alias; a quality of ours, for the nearest layer height;
            `standard` for the vendor's own choice.
        wishes: win over the presets.
        heights_mm: layer heights of our qualities, by name.

    Raises:
        ProfileUnknown: there is no such preset; the message lists those there are.
        ProfileInvalid: a bundle can't be read.
        EngineMissing: no slicer with bundles is installed.
    """
    bundle, chosen = _find(name)
    prints = [one for one in bundle.presets["print"] if _compatible(one, chosen)]
    made = _print(chosen, prints, quality, heights_mm)
    filaments = [
        one
        for one in bundle.presets["filament"]
        if _compatible(one, chosen) and _suits(one, made, chosen)
    ]
    thread = _filament(chosen, filaments, material)
    keys = changed(flat(made, chosen, thread), wishes)
    try:
        return _in_our_words(name, made, thread, quality, keys)
    except ValueError as error:
        raise _odd(name) from error


def _in_our_words(
    name: str, made: Preset, thread: Preset, quality: str, keys: dict[str, str]
) -> Configuration:
    return Configuration(
        printer=_printer(name, keys),
        material=material_of(Keys(keys), "native", thread.name).model_copy(
            update={"name": keys.get("filament_type", "pla").lower()}
        ),
        quality=quality_of(Keys(keys), "native", made.name).model_copy(update={"name": quality}),
        native=Native(engine=ENGINE, keys=keys),
    )


def flat(made: Preset, chosen: Preset, thread: Preset) -> dict[str, str]:
    """Return three presets as one flat configuration, as the program's own window would."""
    keys = {
        key: value
        for preset in (made, chosen, thread)
        for key, value in preset.keys.items()
        if not key.startswith(_CHOOSING)
    }
    # The window does these two, the command line does not.
    first, height = keys.get("first_layer_height", ""), keys.get("layer_height", "0.2")
    if first.endswith("%"):
        keys["first_layer_height"] = f"{float(height) * float(first[:-1]) / 100:.4g}"
    if keys.get("gap_fill_speed", "20").strip() in ("0", "0%"):
        keys["gap_fill_enabled"] = "0"
    keys["printer_settings_id"] = chosen.name
    return keys


def _printer(name: str, keys: Mapping[str, str]) -> Printer:
    title = name.rpartition("/")[2]
    try:
        return printer_of(Keys(keys), "native", title).model_copy(update={"name": name})
    except ValueError as error:  # a number out of range, or none at all
        raise _odd(title) from error


def _odd(name: str) -> ProfileInvalid:
    return ProfileInvalid(f"The vendor's profile {name} holds values that can't be right.")


def _find(name: str) -> tuple[Bundle, Preset]:
    vendor, _, wanted = name.removeprefix(PREFIX).partition("/")
    folder = bundles_folder()
    known = {path.stem.lower(): path for path in sorted(folder.glob("*.ini"))}
    if vendor.lower() not in known:
        listed = ", ".join(path.stem for path in known.values())
        raise ProfileUnknown(
            f'There is no vendor called "{vendor}"; choose one of: {listed}.',
            kind="printer class",
            name=name,
            known=[path.stem for path in known.values()],
        )
    bundle = read_bundle(known[vendor.lower()])
    return bundle, _named(wanted, bundle.printers, "printer class")


def _named(wanted: str, presets: Iterable[Preset], kind: str) -> Preset:
    """Return the preset of that name, of that alias, or that once had it."""
    listed = list(presets)
    low = wanted.strip().lower()
    for preset in listed:
        if preset.name.lower() == low:
            return preset
    for preset in listed:
        if preset.alias.lower() == low or low in map(str.lower, preset.names_before):
            return preset
    names = [preset.name for preset in listed]
    raise ProfileUnknown(
        f'There is no {kind} called "{wanted}"; choose one of: {", ".join(names)}.',
        kind=kind,
        name=wanted,
        known=names,
    )


def _compatible(preset: Preset, chosen: Preset) -> bool:
    named = words_of(preset.keys.get("compatible_printers", ""))
    if named:
        return chosen.name in named
    return _holds(preset.keys.get("compatible_printers_condition", ""), chosen, chosen)


def _suits(thread: Preset, made: Preset, chosen: Preset) -> bool:
    named = words_of(thread.keys.get("compatible_prints", ""))
    if named:
        return made.name in named
    return _holds(thread.keys.get("compatible_prints_condition", ""), made, chosen)


def _holds(condition: str, preset: Preset, chosen: Preset) -> bool:
    extruders = len(chosen.keys.get("nozzle_diameter", "0.4").split(","))
    keys = {
        "nozzle_diameter": "0.4",
        **preset.keys,
        "printer_preset": chosen.name,
        "num_extruders": str(extruders),
    }
    try:
        return holds(condition, keys)
    except ConditionInvalid as error:
        raise ProfileInvalid(f"A condition of {preset.name} is wrong: {error}.") from error


def _print(
    chosen: Preset, prints: list[Preset], quality: str, heights_mm: Mapping[str, float]
) -> Preset:
    if not prints:
        raise ProfileUnknown(f"The bundle has no print preset for {chosen.name}.", kind="quality")
    wanted = quality.strip().lower()
    height = heights_mm.get(wanted)
    if height is None:
        return _named(quality, prints, "quality")
    own = chosen.keys.get("default_print_profile", "")
    if wanted == "standard":
        for preset in prints:
            if preset.name == own:
                return preset
    return min(prints, key=lambda one: abs(Keys(one.keys).number("layer_height", 0.3) - height))


def _filament(chosen: Preset, filaments: list[Preset], material: str) -> Preset:
    low = material.strip().lower()
    for preset in filaments:
        if low in (preset.name.lower(), preset.alias.lower()):
            return preset
    types = _TYPES.get(low.upper(), (low.upper(),))
    fitting = [one for one in filaments if one.keys.get("filament_type", "").upper() in types]
    if not fitting:
        known = sorted({one.keys.get("filament_type", "") for one in filaments})
        raise ProfileUnknown(
            f'There is no material called "{material}" for {chosen.name}; choose one of the types '
            f"{', '.join(known)}, or a filament by its whole name.",
            kind="material",
            name=material,
            known=[one.name for one in filaments],
        )
    own = words_of(chosen.keys.get("default_filament_profile", ""))
    for preset in fitting:
        if preset.name in own:
            return preset
    generic = [one for one in fitting if "generic" in one.name.lower()]
    return (generic or fitting)[0]
