"""A file at any address: fetched through the guarded way, known by its bytes, not by its name."""

from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from coordinator.adapters.providers.blaming import after_of
from coordinator.adapters.providers.links.choosing import plain_name
from coordinator.domain.file_kinds import HEAD_BYTES, MESHES, kind_of, suffix_of
from coordinator.domain.providing import Blame, ProviderFault
from coordinator.errors import Refused, Unavailable
from coordinator.ports import Clock, StagedFile
from coordinator.ports_outward import Outside, Question

_REDIRECTS_MAX = 5
_LOCKED = (401, 402, 403, 407)
_GONE = (404, 410)


class Direct:
    """Fetches what lies at an address that a person named."""

    def __init__(self, outside: Outside, clock: Clock, *, bytes_max: int, within_s: float) -> None:
        """Take the way, and limits for one file."""
        self._outside = outside
        self._clock = clock
        self._bytes_max = bytes_max
        self._within_s = within_s

    def objection(self, url: str) -> str:
        """Return why an address is never asked."""
        return self._outside.objection(url)

    async def fetch(self, url: str, sink: StagedFile) -> None:
        """Write what lies at an address.

        Raises:
            ProviderFault: nothing did; `INVALID_INPUT` where that is no matter of time.
        """
        question = Question(
            method="GET",
            url=url,
            within_s=self._within_s,
            answer_bytes_max=self._bytes_max,
            redirects_max=_REDIRECTS_MAX,
        )
        try:
            answer = await self._outside.fetch(question, sink.write)
        except Refused as error:
            raise _refused(error.code, error.message) from error
        except Unavailable as error:
            if error.code != "no_answer":
                raise
            raise ProviderFault(Blame.RETRY_SAFE, "no_answer", error.message) from error
        self._check(answer.status, answer.headers, whole=answer.whole)

    def _check(self, status: int, headers: Mapping[str, str], *, whole: bool) -> None:
        if status in _LOCKED:
            raise _refused(
                f"http_{status}", "this address wants a log in: download the file, and bring it"
            )
        if status in _GONE:
            raise _refused(f"http_{status}", "there is nothing at this address")
        if status != 200:
            after_s = after_of(headers, self._clock.now())
            words = f"this address answered {status}"
            blame = Blame.INVALID_INPUT if 400 <= status < 500 else Blame.RETRY_SAFE
            blame = Blame.RETRY_SAFE if status in (408, 425, 429) else blame
            raise ProviderFault(blame, f"http_{status}", words, after_s=after_s)
        if not whole:
            raise _refused(
                "file_too_large",
                f"the file has more than {self._bytes_max} bytes, which is what "
                "download_bytes_max takes",
            )


def name_in(url: str) -> str:
    """Return the file's name that an address ends with."""
    return plain_name(unquote(urlsplit(url).path))


def kind_at(path: Path, name: str, is_3mf: Callable[[Path], bool]) -> str:
    """Return what a file is, a suffix of `MESHES` or `.zip`.

    Args:
        name: counts where the bytes leave it open, as those of an OBJ may.

    Raises:
        ProviderFault: `INVALID_INPUT`: it is neither, in words for a person.
    """
    with path.open("rb") as file:
        size_bytes = file.seek(0, 2)
        file.seek(0)
        head = file.read(HEAD_BYTES)
    kind = kind_of(head, size_bytes)
    if kind == ".zip":
        return ".3mf" if is_3mf(path) else ".zip"
    named = suffix_of(name)
    if kind in MESHES or (not kind and size_bytes and named in MESHES):
        return kind or named
    if kind == ".html":
        raise _refused("web_page", "this is a web page: link to the model's file itself")
    raise _refused("no_model", f"this is no model; there are {' '.join((*MESHES, '.zip'))}")


def _refused(code: str, words: str) -> ProviderFault:
    return ProviderFault(Blame.INVALID_INPUT, code, words, field="url")
