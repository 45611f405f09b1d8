"""A look at a zip's directory before anything is unpacked.

A 3MF is a zip. Its members are read into memory whole, so that their sizes must be known to be
harmless first. The directory can be believed: zipfile stops a member that outgrows its entry.
"""

import zipfile
from pathlib import Path

from slicing.errors import ModelBroken, ModelTooComplex, ModelUnsupported

# A project of a slicer has some dozens: meshes, settings, pictures.
_MEMBERS_MAX = 10_000


def check_3mf(path: Path, *, unpacked_bytes_max: int) -> None:
    """Return if the archive may be unpacked into memory.

    Raises:
        ModelBroken: it is no readable zip.
        ModelTooComplex: its members would take more than `unpacked_bytes_max`.
        ModelUnsupported: it is a zip, yet no 3MF.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _check_sizes(members, unpacked_bytes_max)
            if not any(member.filename.lower().endswith(".model") for member in members):
                raise ModelUnsupported(
                    "The file is a zip archive without a 3MF model in it: unpack it and submit "
                    "the model itself."
                )
    except zipfile.BadZipFile as error:
        raise ModelBroken(
            f"The 3MF archive can't be read ({error}): export or download it again."
        ) from error


def _check_sizes(members: list[zipfile.ZipInfo], unpacked_bytes_max: int) -> None:
    unpacked = sum(member.file_size for member in members)
    if unpacked > unpacked_bytes_max:
        raise ModelTooComplex(
            f"The 3MF would unpack to {unpacked / 1e6:,.0f} MB, and "
            f"{unpacked_bytes_max / 1e6:,.0f} MB is the limit: export a coarser mesh.",
            unpacked_bytes=unpacked,
            unpacked_bytes_max=unpacked_bytes_max,
        )
    if len(members) > _MEMBERS_MAX:
        raise ModelTooComplex(
            f"The 3MF holds {len(members):,} files, and {_MEMBERS_MAX:,} is the limit: "
            "export only the model.",
            members=len(members),
        )
