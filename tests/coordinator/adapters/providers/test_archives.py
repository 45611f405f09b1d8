"""Zip files from strangers."""

import io
import struct
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.adapters.providers.links import archives
from coordinator.adapters.providers.links.archives import (
    ArchiveRefused,
    chunks_of,
    is_3mf,
    meshes_in,
)


def zipped(path: Path, **members: bytes) -> Path:
    """Write an archive; `__` in a name stands for a slash, `_` for a dot."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), data)
    return path


def named(path: Path, name: str, data: bytes = b"x") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), data)
    return path


def test_the_meshes_in_an_archive_are_told_and_other_files_passed_over(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", files__a_stl=b"A" * 9, b_STEP=b"B", readme_txt=b"no")
    assert [(m.name, m.suffix, m.size_bytes) for m in meshes_in(path)] == [
        ("files/a.stl", ".stl", 9),
        ("b.STEP", ".step", 1),
    ]
    assert b"".join(chunks_of(path, "files/a.stl")) == b"A" * 9


def test_what_apple_leaves_beside_files_is_no_mesh(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", a_stl=b"A")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("__MACOSX/._a.stl", b"litter")
        archive.writestr("sub/._a.stl", b"litter")
    assert [member.name for member in meshes_in(path)] == ["a.stl"]


def test_a_3mf_is_told_from_other_archives(tmp_path: Path) -> None:
    parts = {"[Content_Types].xml": b"<Types/>", "3D/3dmodel.model": b"<model/>"}
    with zipfile.ZipFile(tmp_path / "a.3mf", "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    assert is_3mf(tmp_path / "a.3mf")
    assert not is_3mf(zipped(tmp_path / "b.zip", a_stl=b"A"))
    (tmp_path / "c.zip").write_bytes(b"PK\x03\x04 and nothing else")
    assert not is_3mf(tmp_path / "c.zip")


@pytest.mark.parametrize(
    "name", ["../a.stl", "a/../../b.stl", "/etc/a.stl", "C:\\a.stl", "a\\..\\b.stl", "a\nb.stl"]
)
def test_a_name_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    path = named(tmp_path / "a.zip", "xxxxxxxxxxxxxxxxxxxx.stl"[-len(name) :])
    data = path.read_bytes().replace(
        "xxxxxxxxxxxxxxxxxxxx.stl"[-len(name) :].encode(), name.encode()
    )
    path.write_bytes(data)
    with pytest.raises(ArchiveRefused, match="name"):
        meshes_in(path)


def test_what_unpacks_to_far_more_than_it_is_long_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", a_stl=bytes(20 * archives.MIB))
    with pytest.raises(ArchiveRefused, match="trap"):
        meshes_in(path)


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MEMBERS_MAX", 2)
    path = zipped(tmp_path / "a.zip", a_stl=b"1", b_stl=b"2", c_txt=b"3")
    with pytest.raises(ArchiveRefused, match="3 files"):
        meshes_in(path)


def test_too_much_in_all_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "UNPACKED_BYTES_MAX", 4 * archives.MIB)
    path = zipped(tmp_path / "a.zip", a_txt=bytes(3 * archives.MIB), b_txt=bytes(3 * archives.MIB))
    with pytest.raises(ArchiveRefused, match="4 MiB"):
        meshes_in(path)


def test_a_list_of_members_that_would_fill_the_memory_is_not_read(tmp_path: Path) -> None:
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 65535, 65535, 900_000_000, 4, 0)
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04" + end)
    locator = b"PK\x06\x07" + bytes(16)
    (tmp_path / "b.zip").write_bytes(b"PK\x03\x04" + locator + end)
    for name in ("a.zip", "b.zip"):
        with pytest.raises(ArchiveRefused, match="more files"):
            meshes_in(tmp_path / name)


def test_a_locked_archive_says_so(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", a_stl=b"A")
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(data))
    with pytest.raises(ArchiveRefused, match="password"):
        meshes_in(path)


def test_a_member_that_is_longer_than_it_says_is_not_given_out_whole(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", a_stl=b"A" * 5000)
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = struct.pack("<L", 10)
    path.write_bytes(bytes(data))
    with pytest.raises(ArchiveRefused):
        b"".join(chunks_of(path, "a.stl"))


@given(cut=st.integers(0, 400), spoiled=st.integers(0, 399), byte=st.integers(0, 255))
def test_a_damaged_archive_is_refused_or_read_but_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, cut: int, spoiled: int, byte: int
) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.stl", bytes(range(200)))
        archive.writestr("b.obj", b"v 0 0 0\n" * 9)
    data = bytearray(held.getvalue())
    data[spoiled % len(data)] = byte
    path = tmp_path_factory.getbasetemp() / "damaged.zip"
    path.write_bytes(bytes(data[: len(data) - cut] if cut < 50 else data))
    with suppress(ArchiveRefused):
        for member in meshes_in(path):
            assert len(b"".join(chunks_of(path, member.name))) <= member.size_bytes
