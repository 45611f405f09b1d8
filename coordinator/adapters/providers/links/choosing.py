"""Which of many files are the models: pure."""

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from coordinator.adapters.providers.links.library import Listed
from coordinator.domain.file_kinds import MESHES, suffix_of
from coordinator.domain.providing import Blame, Piece, ProviderFault

NAME_CHARACTERS_MAX = 120
_NAMES_SHOWN_MAX = 10
_MEMBER = "#member="


def models_of(files: Iterable[Listed], *, wanted: str, models_max: int) -> tuple[Piece, ...]:
    """Return the best file of each model, in the order of the list.

    Files of one name but for the suffix are one model. A file of code or a picture is none.

    Args:
        wanted: the name of one file, or the end of its path; empty for all.

    Raises:
        ProviderFault: `INVALID_INPUT`: there is none, none of that name, or too many to guess.
    """
    meshes = [each for each in files if suffix_of(each.name) in MESHES]
    if not meshes:
        words = f"there is no model in it that can be printed ({' '.join(MESHES)})"
        raise ProviderFault(Blame.INVALID_INPUT, "no_model", words)
    if wanted:
        meshes = [each for each in meshes if _is_called(each.name, wanted)] or _none_of(
            meshes, wanted
        )
    groups: dict[str, list[Listed]] = {}
    for each in meshes:
        groups.setdefault(str(PurePosixPath(each.name).with_suffix("")).casefold(), []).append(each)
    if len(groups) > models_max:
        words = (
            f"it holds {len(groups)} models, and {models_max} are taken at once: name one of them "
            f"with the option file: {_shown(meshes)}"
        )
        raise ProviderFault(Blame.INVALID_INPUT, "too_many_models", words)
    best = (min(group, key=_rank) for group in groups.values())
    return tuple(_piece(each, number) for number, each in enumerate(best))


def member_url(url: str, name: str) -> str:
    """Return how a file within an archive is addressed here."""
    return f"{url.partition('#')[0]}{_MEMBER}{name}"


def split_member(url: str) -> tuple[str, str]:
    """Return an archive's address and the file in it; empty where it is no archive."""
    archive, _, name = url.partition(_MEMBER)
    return archive, name


def plain_name(name: str, suffix: str = "") -> str:
    """Return a stranger's file name without folders or signs that are not printed."""
    last = name.replace("\\", "/").rpartition("/")[2]
    shown = "".join(sign if sign.isprintable() else "_" for sign in last).strip(" .")
    if suffix and suffix_of(shown) != suffix:
        shown = f"{shown or 'model'}{suffix}"
    ending = suffix_of(shown)
    return shown if len(shown) <= NAME_CHARACTERS_MAX else shown[: NAME_CHARACTERS_MAX - 8] + ending


def _none_of(meshes: Sequence[Listed], wanted: str) -> list[Listed]:
    words = f"there is no {plain_name(wanted)!r} in it; there is {_shown(meshes)}"
    raise ProviderFault(Blame.INVALID_INPUT, "no_such_file", words, field="options")


def _is_called(name: str, wanted: str) -> bool:
    name, wanted = name.casefold(), wanted.casefold()
    return name == wanted or name.endswith(f"/{wanted}")


def _shown(meshes: Sequence[Listed]) -> str:
    names = [plain_name(each.name) for each in meshes]
    more = len(names) - _NAMES_SHOWN_MAX
    return ", ".join(names[:_NAMES_SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")


def _rank(file: Listed) -> int:
    return MESHES.index(suffix_of(file.name))


def _piece(file: Listed, item: int) -> Piece:
    suffix = suffix_of(file.name)
    return Piece(
        role="mesh",
        name=plain_name(file.name, suffix),
        suffix=suffix,
        url=file.url,
        size_bytes=file.size_bytes,
        expires_at=file.expires_at,
        own=file.own,
        item=item,
    )
