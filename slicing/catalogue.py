"""The configs folder: where it is, and what printers, materials and qualities lie in it.

One TOML file each, in `printers/`, `materials/` and `profiles/`; the file's name is the name that
people choose by, in small letters.
"""

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from slicing import vendor
from slicing.errors import ProfileInvalid, ProfileUnknown
from slicing.profiles import Configuration, Material, Overrides, Printer, Quality, merge
from slicing.shapes import first_fault

_Kind = TypeVar("_Kind", Printer, Material, Quality)

_FOLDERS: dict[type[Printer] | type[Material] | type[Quality], tuple[str, str]] = {
    Printer: ("printers", "printer class"),
    Material: ("materials", "material"),
    Quality: ("profiles", "quality"),
}


def configs_folder() -> Path:
    """Return the folder that ships with the project.

    An installed package carries it inside (see `force-include` in pyproject.toml); in a checkout
    it lies beside the packages.
    """
    here = Path(__file__).resolve().parent
    packed = here / "_configs"
    return packed if packed.is_dir() else here.parent / "configs"


class Catalogue:
    """The profiles in one configs folder, each read when it is asked for."""

    def __init__(self, folder: Path | None = None) -> None:
        """Take the folder, or None for the one that ships."""
        self._folder = folder or configs_folder()

    def configuration(
        self, printer: str, material: str, quality: str, wishes: Overrides
    ) -> Configuration:
        """Return the one configuration that names and wishes amount to.

        A printer called `vendor/...` is a preset that came with an installed slicer (vendor.py).

        Raises:
            ProfileUnknown, ProfileInvalid: see `_read`.
            SettingsRefused: together they can't work.
        """
        if printer.startswith(vendor.PREFIX):
            heights = {one.name: one.layers.height_mm for one in self.qualities()}
            return vendor.configuration(printer, material, quality, wishes, heights_mm=heights)
        return merge(self.printer(printer), self.material(material), self.quality(quality), wishes)

    def printer(self, name: str) -> Printer:
        """Return a printer class; see `_read` for what it raises."""
        if name.startswith(vendor.PREFIX):
            return vendor.printer(name)
        return self._read(Printer, name)

    def material(self, name: str) -> Material:
        """Return a material; see `_read` for what it raises."""
        return self._read(Material, name)

    def quality(self, name: str) -> Quality:
        """Return a quality; see `_read` for what it raises."""
        return self._read(Quality, name)

    def printers(self) -> tuple[Printer, ...]:
        """Return every printer class, by name."""
        return tuple(self._read(Printer, name) for name in self._names(Printer))

    def materials(self) -> tuple[Material, ...]:
        """Return every material, by name."""
        return tuple(self._read(Material, name) for name in self._names(Material))

    def qualities(self) -> tuple[Quality, ...]:
        """Return every quality, by name."""
        return tuple(self._read(Quality, name) for name in self._names(Quality))

    def _names(self, kind: type[_Kind]) -> list[str]:
        folder = self._folder / _FOLDERS[kind][0]
        return sorted(path.stem for path in folder.glob("*.toml"))

    def _read(self, kind: type[_Kind], name: str) -> _Kind:
        """Read one profile; `PLA` finds `pla`.

        Raises:
            ProfileUnknown: there is no such file; the message lists those there are.
            ProfileInvalid: it is no TOML, or a key is missing, unknown or out of range.
        """
        folder, word = _FOLDERS[kind]
        known = self._names(kind)
        wanted = name.strip().lower()
        if wanted not in known:  # also keeps a path out of the name
            listed = ", ".join(known) or f"none, {self._folder / folder} holds no profiles"
            raise ProfileUnknown(
                f'There is no {word} called "{name}"; choose one of: {listed}.',
                kind=word,
                name=name,
                known=known,
            )
        path = self._folder / folder / f"{wanted}.toml"
        try:
            profile = kind.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except ValidationError as error:
            key, what = first_fault(error)
            raise _invalid(path, key, what) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise _invalid(path, "", str(error)) from error
        if profile.name != wanted:
            raise _invalid(path, "name", f'it must be the name of the file, "{wanted}"')
        return profile


def _invalid(path: Path, key: str, what: str) -> ProfileInvalid:
    place = f' at "{key}"' if key else ""
    return ProfileInvalid(f"{path} is wrong{place}: {what}.", file=str(path), key=key)
