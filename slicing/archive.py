"""A look at a zip's directory before anything is unpacked.

A 3MF is a zip, an AMF can be one. Members are read into memory whole, so that their sizes must be
known to be harmless first. The directory can be believed: zipfile stops a member that outgrows
its entry, and entries that share bytes add up to more than the file.
"""

import zipfile
from pathlib import Path, PurePosixPath

from slicing.errors import ModelBroken, ModelTooComplex, ModelUnsupported

# A project of a slicer has some dozens: meshes, settings, pictures.
_MEMBERS_MAX = 10_000

# Real meshes as XML shrink 5 to 30 times; whitespace and zeros a thousand times.
_RATIO_MAX = 200
_RATIO_COUNTS_FROM_BYTES = 8_000_000

_KINDS = {".model": "3mf", ".amf": "amf"}


def kind_inside(path: Path, *, unpacked_bytes_max: int) -> str:
    """Return `3mf` or `amf` if the archive is one and may be unpacked into memory.

    Raises:
        ModelBroken: it is no readable zip, or names files outside of itself.
        ModelTooComplex: its members would take more than `unpacked_bytes_max`, or hide how much.
        ModelUnsupported: it is a zip, yet of neither kind.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError) as error:
        raise ModelBroken(
            f"The 3MF archive can't be read ({error}): export or download it again."
        ) from error
    _check_sizes(members, unpacked_bytes_max, path.stat().st_size)
    for member in members:
        _check_name(member)
    for suffix, kind in _KINDS.items():
        if any(member.filename.lower().endswith(suffix) for member in members):
            return kind
    raise ModelUnsupported(
        "The file is a zip archive without a 3MF model in it: unpack it and submit "
        "the model itself."
    )


def _check_sizes(
    members: list[zipfile.ZipInfo], unpacked_bytes_max: int, packed_bytes: int
) -> None:
    unpacked = sum(member.file_size for member in members)
    if unpacked > unpacked_bytes_max:
        raise ModelTooComplex(
            f"The archive would unpack to {unpacked / 1e6:,.0f} MB, and "
            f"{unpacked_bytes_max / 1e6:,.0f} MB is the limit: export a coarser mesh.",
            unpacked_bytes=unpacked,
            unpacked_bytes_max=unpacked_bytes_max,
        )
    if len(members) > _MEMBERS_MAX:
        raise ModelTooComplex(
            f"The archive holds {len(members):,} files, and {_MEMBERS_MAX:,} is the limit: "
            "export only the model.",
            members=len(members),
        )
    ratio = unpacked / max(1, packed_bytes)
    if ratio > _RATIO_MAX and unpacked > _RATIO_COUNTS_FROM_BYTES:
        raise ModelTooComplex(
            f"The archive would grow {ratio:,.0f} times when unpacked, which no mesh does: "
            "export the model again.",
            ratio=ratio,
        )
    if sum(member.compress_size for member in members) > packed_bytes:
        raise ModelBroken(
            "The archive's files share their bytes, which no honest one does: export it again."
        )


def _check_name(member: zipfile.ZipInfo) -> None:
    name = member.filename.replace("\\", "/")
    if ".." in PurePosixPath(name).parts or ":" in name:
        raise ModelBroken(
            f"The archive names a file outside of itself ({member.filename[:80]!r}): "
            "export the model again."
        )
    if member.flag_bits & 1:
        raise ModelBroken("The archive is encrypted: save the model without a password.")
