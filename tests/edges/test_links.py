"""Links to models over real HTTP: libraries by their APIs, files, zips, and what is refused."""

import io
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from coordinator.adapters.outbound.guarded_http import guarded_http
from coordinator.adapters.outbound.reach import reach_of
from coordinator.adapters.providers.links import shelf
from coordinator.adapters.providers.links.link import Link
from coordinator.domain.breaker import Breaker, Stand, after_fault, stand
from coordinator.domain.providing import Blame, Kind, Phase, ProviderFault, Wish
from coordinator.ports_providers import Scattered
from tests.fakes.library_servers import FilesServer, LibraryServers
from tests.fakes.one_provider import OneProvider, one_provider
from tests.fakes.solids import write_box
from tests.fakes.step_file import step_box
from tests.fakes.troubled_server import breaks_off, drops_before, refuses, served

THING = "https://www.thingiverse.com/thing:763622"
OBJECT = "https://www.myminifactory.com/object/3d-print-hook-8600"
SKETCH = "https://sketchfab.com/3d-models/hook-cd6f6c89fa5647d694991901f12becc2"
PRINT = "https://www.printables.com/model/3161-3d-benchy"
GLB = b"glTF\x02\0\0\0\x0c\0\0\0"
STEP = step_box(1, 2, 3)


@pytest.fixture
def stl(tmp_path: Path) -> bytes:
    write_box(tmp_path / "box.stl", 1, 2, 3)
    return (tmp_path / "box.stl").read_bytes()


@pytest.fixture
async def cdn() -> AsyncIterator[FilesServer]:
    async with served(FilesServer()) as server:
        yield server


@pytest.fixture
async def libraries(cdn: FilesServer) -> AsyncIterator[LibraryServers]:
    async with served(LibraryServers(cdn)) as server:
        yield server


@asynccontextmanager
async def linking(folder: Path, **options: Any) -> AsyncIterator[OneProvider]:
    """Lend the provider with a way to the outside that may ask this machine."""
    async with (
        guarded_http(reach_of("127.0.0.0/8")) as outside,
        one_provider(Link, options, folder, outside) as bench,
    ):
        yield bench


@pytest.fixture
async def bench(libraries: LibraryServers, tmp_path: Path) -> AsyncIterator[OneProvider]:
    async with linking(tmp_path, **libraries.settings, models_max=3) as made:
        yield made


def link(url: str, **options: str) -> Wish:
    return Wish(kind=Kind.LINK, url=url, options=options)


def zipped(**members: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), data)
    return held.getvalue()


@pytest.mark.parametrize(
    ("url", "name", "data", "author", "licence"),
    [
        (THING, "hook_stl", STEP, "anna", "Creative Commons - Attribution"),
        (OBJECT, "hook_step", STEP, "Ben", "remix, no commercial-use"),
        (SKETCH, "hook_glb", GLB, "Cara", "Creative Commons Attribution"),
        (PRINT, "hook_step", STEP, "dora", "CC BY 4.0"),
    ],
)
async def test_a_librarys_model_comes_with_who_is_owed_for_it(
    bench: OneProvider,
    libraries: LibraryServers,
    url: str,
    name: str,
    data: bytes,
    author: str,
    licence: str,
) -> None:
    libraries.put(**{name: data})
    seen = await bench.made(link(url))
    assert (seen.told["title"], seen.told["author"], seen.told["licence"]) == (
        "A hook",
        author,
        licence,
    )
    assert str(seen.told["url"]).startswith("https://")
    [piece] = seen.pieces
    assert await bench.fetched(piece) == data


@pytest.mark.parametrize("url", [THING, OBJECT, SKETCH, PRINT])
async def test_a_librarys_token_is_shown_to_nobody_else(
    bench: OneProvider, libraries: LibraryServers, cdn: FilesServer, url: str
) -> None:
    libraries.put(hook_glb=GLB)
    [piece] = (await bench.made(link(url))).pieces
    await bench.fetched(piece)
    assert url == OBJECT or cdn.asked
    assert not any("authorization" in each.headers for each in cdn.asked)
    assert libraries.token not in repr(piece)


async def test_the_best_file_of_each_model_is_taken(
    bench: OneProvider, libraries: LibraryServers, stl: bytes
) -> None:
    libraries.put(a_step=STEP, a_stl=stl, b_obj=b"v 0 0 0\n", readme_txt=b"words", c_jpg=b"x")
    seen = await bench.made(link(THING))
    assert [(piece.name, piece.item) for piece in seen.pieces] == [("a.stl", 0), ("b.obj", 1)]
    [piece] = (await bench.made(link(THING, file="A.step"))).pieces
    assert await bench.fetched(piece) == STEP


async def test_too_many_models_are_not_guessed_at(
    bench: OneProvider, libraries: LibraryServers, stl: bytes
) -> None:
    libraries.put(a_stl=stl, b_stl=stl, c_stl=stl, d_stl=stl)
    fault = await bench.refused(link(THING))
    assert fault.code == "too_many_models"
    assert "a.stl, b.stl, c.stl, d.stl" in fault.message
    assert (await bench.refused(link(THING, file="e.stl"))).code == "no_such_file"
    assert len((await bench.made(link(THING, file="d.stl"))).pieces) == 1


async def test_a_library_that_has_only_a_zip_has_it_opened_with_its_token(
    bench: OneProvider, libraries: LibraryServers, stl: bytes
) -> None:
    libraries.put(all_zip=zipped(parts__a_stl=stl, parts__b_stl=stl))
    seen = await bench.made(link(THING))
    assert [piece.name for piece in seen.pieces] == ["a.stl", "b.stl"]
    assert [await bench.fetched(piece) for piece in seen.pieces] == [stl, stl]
    assert libraries.count("GET /thingiverse/files") == 1


@pytest.mark.parametrize(
    ("url", "change", "code"),
    [
        (OBJECT, {"price": 4.5}, "paid_model"),
        (PRINT, {"price": 4.5}, "paid_model"),
        (OBJECT, {"closed": True}, "not_downloadable"),
        (SKETCH, {"closed": True}, "not_downloadable"),
        (PRINT, {"closed": True}, "not_downloadable"),
        (THING.replace("763622", "404"), {}, "no_model"),
        (PRINT.replace("3161", "404"), {}, "no_model"),
    ],
)
async def test_what_may_not_be_fetched_is_refused_in_words(
    bench: OneProvider, libraries: LibraryServers, url: str, change: dict[str, Any], code: str
) -> None:
    libraries.put(hook_glb=GLB)
    for name, value in change.items():
        setattr(libraries, name, value)
    fault = await bench.refused(link(url))
    assert (fault.blame, fault.code) == (Blame.INVALID_INPUT, code)
    assert "price" not in change or "4.5" in fault.message
    assert (url, code) != (PRINT, "not_downloadable") or "You can't download" in fault.message


async def test_each_server_that_is_asked_is_one_of_its_own(
    bench: OneProvider, libraries: LibraryServers, cdn: FilesServer
) -> None:
    assert isinstance(bench.provider, Scattered)
    libraries.put(hook_stl=STEP)
    submitted = await bench.submit(link(THING))
    assert bench.provider.host_of(link(THING)) == "thingiverse.com"
    assert bench.provider.host_of(submitted.handle) == "thingiverse.com"
    assert bench.provider.host_of((await bench.look(submitted)).pieces[0]) == "127.0.0.1"
    assert bench.provider.host_of(link("https://[::1")) == ""


async def test_a_wrong_token_is_told_and_leaves_other_links_alone(
    libraries: LibraryServers, tmp_path: Path
) -> None:
    settings = libraries.settings
    settings["thingiverse"]["api_key"] = "wrong"
    async with linking(tmp_path, **settings) as bench:
        fault = await bench.refused(link(THING))
    assert fault.code == "token_refused"
    assert "renew thingiverse.api_key" in fault.message
    after = after_fault(Breaker(), fault.blame, fault.message, 0.0)
    assert stand(after, 0.0) is Stand.CLOSED
    assert "wrong" not in fault.message


async def test_graphql_that_changed_is_no_crash(
    bench: OneProvider, libraries: LibraryServers
) -> None:
    for body in ({"errors": [{"message": "x"}]}, {"data": []}, {"data": {"print": []}}, [], 5):
        libraries.next("POST /printables", refuses(200, body))
        assert (await bench.refused(link(PRINT))).code in ("bad_answer", "no_model")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://makerworld.com/en/models/1", "MakerWorld lets no program fetch"),
        ("https://www.thingiverse.com/explore", "no single model"),
        ("https://www.thingiverse.com/thing:12345678901234567890", "no single model"),
        ("file:///etc/passwd", "write http"),
        ("https://user:word@example.com/x.stl", "password"),
        ("http://169.254.169.254/latest", "never asked"),
        ("", "no address"),
    ],
)
async def test_what_an_address_says_itself_is_told_before_anything_is_asked(
    bench: OneProvider, url: str, words: str
) -> None:
    assert words in bench.provider.objection(link(url))


async def test_a_library_without_a_token_and_printables_unasked_for_are_not_asked(
    tmp_path: Path,
) -> None:
    async with linking(tmp_path) as bench:
        assert "thingiverse.api_key" in bench.provider.objection(link(THING))
        assert "printables.enabled" in bench.provider.objection(link(PRINT))
        assert bench.provider.objection(link("https://example.com/x.stl")) == ""
        assert "example.com" not in (await bench.provider.health()).words


async def test_a_plain_address_is_known_by_its_bytes_and_not_by_its_name(
    bench: OneProvider, cdn: FilesServer, stl: bytes
) -> None:
    cdn.files = {"get": stl, "part.stl": STEP, "odd name.obj": b"v 0 0 0\n"}
    for path, name, data in (
        ("get?id=5#top", "get.stl", stl),
        ("part.stl", "part.stl.step", STEP),
        ("odd%20name.obj", "odd name.obj", b"v 0 0 0\n"),
    ):
        seen = await bench.made(link(f"{cdn.url}/{path}"))
        [piece] = seen.pieces
        assert seen.told["title"] == name.partition(".")[0]
        assert (piece.name, piece.suffix) == (name, f".{name.rpartition('.')[2]}")
        assert await bench.fetched(piece) == data
        assert not bench.artifacts.left_behind
    assert len(cdn.asked) == 3


async def test_a_zip_becomes_its_models_and_is_fetched_once(
    bench: OneProvider, cdn: FilesServer, stl: bytes
) -> None:
    members = {"a__x_stl": stl, "a__x_3mf": b"PK\x03\x04", "b__x_stl": stl, "notes_txt": b"-"}
    cdn.files = {"all.zip": zipped(**members)}
    wish = link(f"{cdn.url}/all.zip")
    seen = await bench.made(wish)
    assert [(piece.name, piece.item) for piece in seen.pieces] == [("x.3mf", 0), ("x.stl", 1)]
    assert await bench.fetched(seen.pieces[1]) == stl
    assert (await bench.unfetched(seen.pieces[0])).blame is Blame.INVALID_INPUT
    assert cdn.count("GET /all.zip") == 1
    again = (await bench.made(link(wish.url, file="b/x.stl"))).pieces
    assert await bench.fetched(again[0]) == stl


async def test_a_3mf_is_no_zip_of_models(bench: OneProvider, cdn: FilesServer) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("3D/3dmodel.model", "<model/>")
        archive.writestr("Metadata/extra.stl", "solid")
    cdn.files = {"part.zip": held.getvalue()}
    [piece] = (await bench.made(link(f"{cdn.url}/part.zip"))).pieces
    assert piece.suffix == ".3mf"
    assert await bench.fetched(piece) == held.getvalue()


async def test_a_fetch_after_a_restart_asks_again(
    cdn: FilesServer, tmp_path: Path, stl: bytes
) -> None:
    cdn.files = {"all.zip": zipped(a_stl=stl)}
    async with linking(tmp_path) as bench:
        submitted = await bench.submit(link(f"{cdn.url}/all.zip"))
    async with linking(tmp_path) as bench:
        [piece] = (await bench.provider.look(submitted.handle)).pieces
        assert await bench.fetched(piece) == stl
    assert cdn.count("GET /all.zip") == 2
    assert not bench.artifacts.left_behind


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<!DOCTYPE html><html>log in</html>", "web_page"),
        (b"\x89PNG\r\n\x1a\n", "no_model"),
        (b"M104 S200\n", "no_model"),
        (b"", "no_model"),
        (zipped(readme_txt=b"words"), "no_model"),
        (b"PK\x03\x04 and no end", "bad_archive"),
        (zipped(a_stl=bytes(20_000_000)), "bad_archive"),
    ],
)
async def test_what_is_no_model_is_refused_in_words(
    bench: OneProvider, cdn: FilesServer, data: bytes, code: str
) -> None:
    cdn.files = {"there": data}
    fault = await bench.refused(link(f"{cdn.url}/there"))
    assert (fault.blame, fault.code) == (Blame.INVALID_INPUT, code)
    assert fault.message


async def test_a_librarys_file_that_is_a_web_page_is_not_taken(
    bench: OneProvider, libraries: LibraryServers
) -> None:
    libraries.put(hook_stl=b"<html>please log in</html>")
    [piece] = (await bench.made(link(THING))).pieces
    assert (await bench.unfetched(piece)).code == "web_page"


@pytest.mark.parametrize(
    ("trouble", "blame"),
    [
        (refuses(404), Blame.INVALID_INPUT),
        (refuses(403), Blame.INVALID_INPUT),
        (refuses(503), Blame.RETRY_SAFE),
        (refuses(429, Retry_After="9"), Blame.RETRY_SAFE),
        (breaks_off, Blame.RETRY_SAFE),
    ],
)
async def test_an_address_that_does_not_give_its_file_says_whether_to_try_again(
    bench: OneProvider, cdn: FilesServer, stl: bytes, trouble: Any, blame: Blame
) -> None:
    cdn.files = {"a.stl": stl}
    cdn.next("GET /a.stl", trouble)
    assert (await bench.refused(link(f"{cdn.url}/a.stl"))).blame is blame
    assert (await bench.made(link(f"{cdn.url}/a.stl"))).phase is Phase.SUCCEEDED


async def test_a_file_beyond_the_limit_is_not_taken(cdn: FilesServer, tmp_path: Path) -> None:
    cdn.files = {"a.stl": bytes(2000)}
    async with linking(tmp_path, download_bytes_max=1000) as bench:
        fault = await bench.refused(link(f"{cdn.url}/a.stl"))
    assert fault.code == "file_too_large"


async def test_this_network_is_asked_only_where_it_was_opened(
    cdn: FilesServer, tmp_path: Path, stl: bytes
) -> None:
    cdn.files = {"a.stl": stl}
    async with one_provider(Link, {}, tmp_path) as bench:
        assert "127.0.0.1" in bench.provider.objection(link(f"{cdn.url}/a.stl"))
        by_name = cdn.url.replace("127.0.0.1", "localhost") + "/a.stl"
        assert (await bench.refused(link(by_name))).code == "address_not_allowed"
    assert not cdn.asked


async def test_files_that_wait_are_few_and_are_gone_at_the_end(
    cdn: FilesServer, tmp_path: Path, stl: bytes
) -> None:
    cdn.files = {f"{number}.stl": stl for number in range(6)}
    async with linking(tmp_path) as bench:
        for name in cdn.files:
            await bench.made(link(f"{cdn.url}/{name}"))
        assert len(bench.artifacts.left_behind) == shelf.FILES_MAX
    assert not bench.artifacts.left_behind


async def test_a_look_at_a_link_that_leads_nowhere_any_more_is_a_failure(
    bench: OneProvider, cdn: FilesServer, stl: bytes, tmp_path: Path
) -> None:
    cdn.files = {"a.stl": stl}
    submitted = await bench.submit(link(f"{cdn.url}/a.stl"))
    async with linking(tmp_path) as later:
        cdn.next("GET /", drops_before)
        cdn.next("GET /", drops_before)
        with pytest.raises(ProviderFault) as caught:
            await later.provider.look(submitted.handle)
        assert caught.value.blame is Blame.RETRY_SAFE
        cdn.files = {}
        gone = await later.provider.look(submitted.handle)
    assert gone.fault is not None
    assert (gone.phase, gone.fault.code) == (Phase.FAILED, "http_404")
