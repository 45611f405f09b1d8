"""The provider of links: an address of a library or of a file, and what lies there.

Nothing is charged and nothing is made, so that looking again is asking again: addresses of files
are signed and end, the link does not.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urldefrag, urlsplit

from coordinator.adapters.providers.bare import Bare
from coordinator.adapters.providers.links import archives
from coordinator.adapters.providers.links.archives import ArchiveRefused
from coordinator.adapters.providers.links.choosing import (
    member_url,
    models_of,
    plain_name,
    split_member,
)
from coordinator.adapters.providers.links.direct import Direct, kind_at, name_in
from coordinator.adapters.providers.links.library import Found, Library, Listed
from coordinator.adapters.providers.links.myminifactory import MyMiniFactory
from coordinator.adapters.providers.links.options import LinkOptions
from coordinator.adapters.providers.links.printables import Printables
from coordinator.adapters.providers.links.shelf import Shelf
from coordinator.adapters.providers.links.sketchfab import Sketchfab
from coordinator.adapters.providers.links.thingiverse import Thingiverse
from coordinator.adapters.providers.options import HttpOptions, key_of, options_of
from coordinator.domain.file_kinds import MESHES, suffix_of
from coordinator.domain.providing import (
    Again,
    Blame,
    Handle,
    Health,
    Kind,
    Look,
    Offer,
    Option,
    Phase,
    Piece,
    ProviderFault,
    Submitted,
    Wish,
)
from coordinator.domain.wishes import objection_of
from coordinator.ports import StagedFile
from coordinator.ports_providers import Told, Tools

# Libraries that let no program fetch.
_CLOSED = {
    "makerworld.com": "MakerWorld",
    "thangs.com": "Thangs",
    "cults3d.com": "Cults3D",
    "grabcad.com": "GrabCAD",
    "yeggi.com": "Yeggi",
}
_ARCHIVES_MAX = 3
_AT_ONCE_MAX = 4


class Link(Bare):
    """Implements `Provider` and `Scattered` over libraries and plain addresses."""

    _title = "a link"

    def __init__(self, name: str, options: Mapping[str, Any], tools: Tools) -> None:
        """Take the settings; see `ProviderMaker`."""
        given = options_of(LinkOptions, name, options)

        def of(part: str) -> tuple[Any, str, Tools]:
            settings: HttpOptions = getattr(given, part)
            limits = {
                "download_bytes_max": given.download_bytes_max,
                "download_s": given.download_s,
            }
            key = key_of(f"{name}.{part}", settings, needed=False)
            return settings.model_copy(update=limits), key, tools

        self._libraries: tuple[Library, ...] = (
            Thingiverse(*of("thingiverse")),
            MyMiniFactory(*of("myminifactory")),
            Sketchfab(*of("sketchfab")),
            Printables(*of("printables")),
        )
        self._direct = Direct(
            tools.outside,
            tools.clock,
            bytes_max=given.download_bytes_max,
            within_s=given.download_s,
        )
        self._shelf = Shelf(tools.artifacts)
        self._models_max = given.models_max
        self._offer = _offer(given)

    @property
    def offer(self) -> Offer:
        """What it takes and gives."""
        return self._offer

    def objection(self, wish: Wish) -> str:
        """Return why an address can't be fetched from, as far as it says so itself."""
        if words := objection_of(self._offer, wish) or self._direct.objection(wish.url):
            return words
        host = (urlsplit(wish.url).hostname or "").removeprefix("www.")
        if host in _CLOSED:
            return f"{_CLOSED[host]} lets no program fetch: download the model, and bring the file"
        library, model_id = self._library(wish.url)
        if library is None:
            return ""
        if not model_id:
            return f"this address of {library.name} is no single model's"
        return library.objection

    def host_of(self, asked: Wish | Handle | Piece) -> str:
        """Return the host of an address, a file's or a page's."""
        url = str(asked.extra.get("url", "")) if isinstance(asked, Handle) else asked.url
        try:
            return (urlsplit(url).hostname or "").removeprefix("www.")
        except ValueError:
            return ""

    async def submit(self, wish: Wish, key: str, told: Told) -> Submitted:
        """Find out what lies at an address; a fault says that nothing of use does."""
        told(None, "looking what is there")
        url = urldefrag(wish.url).url
        handle = Handle(task_id=key, extra={"url": url, "file": str(wish.options.get("file", ""))})
        return Submitted(handle=handle, look=await self._seen(handle))

    async def look(self, handle: Handle) -> Look:
        """Return what lies there now."""
        try:
            return await self._seen(handle)
        except ProviderFault as fault:
            if fault.blame is not Blame.INVALID_INPUT:
                raise
            return Look(phase=Phase.FAILED, fault=fault)

    async def fetch(self, piece: Piece, sink: StagedFile) -> None:
        """Write a file into the store; what is no model by its bytes is refused."""
        url, member = split_member(piece.url)
        if member:
            async with self._lent(replace(piece, url=url, size_bytes=None)) as path:
                await _extracted(path, member, sink)
        elif self._library_of(piece) is None:
            async with self._lent(piece, last=True) as path:
                await _copied(path, sink)
        else:
            await self._download(piece, sink)
        kind = await asyncio.to_thread(kind_at, sink.path, piece.name, archives.is_3mf)
        if kind == ".zip":
            words = f"{piece.name} is an archive of something else"
            raise ProviderFault(Blame.INVALID_INPUT, "no_model", words)

    async def health(self) -> Health:
        """Return which libraries it can ask; nobody is asked for that."""
        names = [each.name for each in self._libraries if not each.objection]
        return Health(ready=True, words=", ".join([*names, "any https address"]))

    async def close(self) -> None:
        """Leave no connection and no file behind."""
        for library in self._libraries:
            await library.api.close()
        await self._shelf.close()

    async def _seen(self, handle: Handle) -> Look:
        url, wanted = str(handle.extra["url"]), str(handle.extra.get("file") or "")
        library, model_id = self._library(url)
        if library is not None and model_id:
            found = await library.find(model_id, _of_use)
            files = await self._unpacked(found.files)
            facts = found.told(library.name)
        else:
            title = PurePosixPath(name_in(url)).stem
            files, facts = await self._at(url), Found(page=url, title=title).told("")
        pieces = models_of(files, wanted=wanted, models_max=self._models_max)
        return Look(phase=Phase.SUCCEEDED, pieces=pieces, told=facts)

    def _library(self, url: str) -> tuple[Library | None, str]:
        """Return whose page an address is, and which model's; empty for none."""
        for library in self._libraries:
            model_id = library.id_in(url)
            if model_id is not None:
                return library, model_id
        return None, ""

    def _library_of(self, piece: Piece) -> Library | None:
        """Return the library whose token a file is asked for with."""
        if not piece.own:
            return None
        return next((each for each in self._libraries if each.here(piece.url)), None)

    async def _download(self, piece: Piece, sink: StagedFile) -> None:
        library = self._library_of(piece)
        if library is not None:
            await library.api.download(piece, sink)
        else:
            await self._direct.fetch(piece.url, sink)

    @asynccontextmanager
    async def _lent(self, piece: Piece, *, last: bool = False) -> AsyncIterator[Path]:
        async with self._shelf.lend(
            piece.url, lambda sink: self._download(piece, sink), last=last
        ) as path:
            yield path

    async def _at(self, url: str) -> list[Listed]:
        """Return the models that a plain address leads to: itself, or those in a zip."""
        name = name_in(url)
        async with self._lent(_file(url)) as path:
            kind = await asyncio.to_thread(kind_at, path, name, archives.is_3mf)
            if kind == ".zip":
                return await _members(path, _file(url))
        return [Listed(name=plain_name(name, kind), url=url)]

    async def _unpacked(self, files: Sequence[Listed]) -> Sequence[Listed]:
        """Return a library's models; those within its zips where it has no others."""
        if any(suffix_of(each.name) in MESHES for each in files):
            return files
        found: list[Listed] = []
        for each in files[:_ARCHIVES_MAX]:
            piece = replace(_file(each.url), own=each.own)
            async with self._lent(piece) as path:
                found += await _members(path, piece)
        return found


def _of_use(name: str) -> bool:
    return suffix_of(name) in (*MESHES, ".zip")


def _file(url: str) -> Piece:
    return Piece(role="other", name="file", suffix="", url=url)


async def _members(path: Path, archive: Piece) -> list[Listed]:
    try:
        members = await asyncio.to_thread(archives.meshes_in, path)
    except ArchiveRefused as error:
        raise _unopened(error) from error
    return [
        Listed(
            name=member.name,
            url=member_url(archive.url, member.name),
            size_bytes=member.size_bytes,
            own=archive.own,
        )
        for member in members
    ]


async def _extracted(path: Path, member: str, sink: StagedFile) -> None:
    chunks = archives.chunks_of(path, member)
    try:
        while chunk := await asyncio.to_thread(next, chunks, b""):
            await sink.write(chunk)
    except ArchiveRefused as error:
        raise _unopened(error) from error


async def _copied(path: Path, sink: StagedFile) -> None:
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while chunk := await asyncio.to_thread(file.read, archives.CHUNK_BYTES):
            await sink.write(chunk)
    finally:
        file.close()


def _unopened(error: ArchiveRefused) -> ProviderFault:
    return ProviderFault(Blame.INVALID_INPUT, "bad_archive", f"the zip is not opened: {error}")


def _offer(options: LinkOptions) -> Offer:
    words = "the name of one file, where a link leads to several"
    return Offer(
        service="link",
        title=options.title,
        kinds=frozenset({Kind.LINK}),
        options=(Option(name="file", type="string", words=words),),
        needs_size=False,
        # Nothing is charged: asked again, the same is found again.
        again=Again.COSTS_ONLY,
        at_once_max=_AT_ONCE_MAX,
        look_every_s=1.0,
        patience_s=2 * options.download_s,
    )
