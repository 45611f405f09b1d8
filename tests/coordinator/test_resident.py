"""What a coordinator gives back once it serves, and that all goes on as before."""

import copy
import pickle
from dataclasses import FrozenInstanceError, dataclass, field
from pathlib import Path

import pytest

from coordinator import resident


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    name: str
    secret: str = field(default="s", repr=False)
    inner: "list[_Part]" = field(default_factory=list)


@dataclass
class _Spoken:
    """Says what it is."""

    name: str

    def __repr__(self) -> str:
        return self.name


def test_dataclasses_that_share_their_methods_are_as_they_were() -> None:
    part = _Part(name="a", inner=[_Part(name="b")])
    part.inner.append(part)
    told, own_set = repr(part), vars(_Part)["__setattr__"]
    for kind in (_Part, _Spoken):
        resident.share_methods(kind)
    assert vars(_Part)["__setattr__"] is not own_set
    assert repr(part) == told
    assert repr(_Spoken("in its own words")) == "in its own words"
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'name'"):
        part.name = "c"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'name'"):
        del part.name  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(_Part(name="a"))) == copy.copy(_Part(name="a"))
    spoken = _Spoken("x")
    spoken.name = "y"
    assert spoken.name == "y"


def test_a_library_does_without_its_words_what_it_did() -> None:
    def told(said: str = "done") -> str:
        """Words that nobody reads where something is served."""
        return said

    def plain(said: str = "done") -> str:
        return said

    for each in (told, plain):
        resident.forget_words(each)
        assert (each(), each.__doc__, each.__annotations__) == ("done", None, {})
    resident.forget_words(_Spoken)
    assert (_Spoken.__doc__, _Spoken("x").name) == (None, "x")


def test_what_we_say_of_ourselves_is_kept() -> None:
    resident.forget_words(resident.settle)
    assert resident.settle.__doc__


SMAPS = """\
5581a000-5581b000 r--p 00000000 fe:00 1 /usr/bin/python3.11
Rss:                   4 kB
Anonymous:             0 kB
7f01a000-7f01c000 r-xp 00002000 fe:00 2 /usr/lib/libssl.so.3
Anonymous:             0 kB
7f01c000-7f01d000 r--p 00004000 fe:00 2 /usr/lib/libssl.so.3
Anonymous:             4 kB
7f01d000-7f01e000 rw-p 00005000 fe:00 2 /usr/lib/libssl.so.3
Anonymous:             0 kB
7f02a000-7f02b000 r--p 00000000 fe:00 3 /usr/lib/locale/C.utf8/LC_CTYPE
Anonymous:             0 kB
7f03a000-7f03b000 r--p 00000000 00:00 0
Anonymous:             0 kB
"""


def test_only_code_that_nobody_wrote_to_is_given_back() -> None:
    found = [(hex(begin), hex(end)) for begin, end in resident.mapped_code(SMAPS)]
    assert found == [("0x5581a000", "0x5581b000"), ("0x7f01a000", "0x7f01c000")]


def test_what_was_given_back_is_there_when_it_is_needed() -> None:
    def from_files_kib() -> int:
        [line] = [
            line
            for line in Path("/proc/self/status").read_text().splitlines()
            if line.startswith("RssFile:")
        ]
        return int(line.split()[1])

    before_kib = from_files_kib()
    resident.give_back()
    assert from_files_kib() < before_kib
    assert pickle.loads(pickle.dumps({"still": ["here"]})) == {"still": ["here"]}
