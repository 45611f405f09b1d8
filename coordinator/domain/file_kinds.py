"""What a file is, by its first bytes: names and headers are only said to be true."""

import re

# So much of a file's beginning is enough.
HEAD_BYTES = 4096

# Suffixes of geometry, the one that tells most first: units, then closed bodies, then exact shapes.
MESHES = (".3mf", ".stl", ".step", ".obj", ".glb", ".gltf", ".ply", ".amf")
# Other names for the same.
_SAME = {".stp": ".step", ".jpeg": ".jpg", ".htm": ".html"}

_STL_HEADER_BYTES, _STL_TRIANGLE_BYTES = 84, 50
_MAGIC = (
    (b"glTF", ".glb"),
    (b"ply\n", ".ply"),
    (b"ply\r", ".ply"),
    (b"ISO-10303-21", ".step"),
    (b"\x89PNG\r\n\x1a\n", ".png"),
    (b"\xff\xd8\xff", ".jpg"),
)
_OBJ_LINE = re.compile(rb"^(v|vn|vt|vp|f|o|g|s|mtllib|usemtl)[ \t]", re.MULTILINE)
_BLANK = b"\xef\xbb\xbf \t\r\n"


def suffix_of(name: str) -> str:
    """Return what a name says that a file is, in lower case and one word for each; or nothing."""
    _, dot, ending = name.rpartition("/")[2].rpartition(".")
    suffix = f".{ending.lower()}" if dot else ""
    return _SAME.get(suffix, suffix)


def kind_of(head: bytes, size_bytes: int) -> str:
    """Return what a file is, as a suffix; empty where its bytes do not tell.

    `.zip` may be a 3MF as well: what is in it tells.

    Args:
        head: its first `HEAD_BYTES`, or all of it.
    """
    start = head.lstrip(_BLANK)
    for magic, suffix in _MAGIC:
        if start.startswith(magic):
            return suffix
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return ".webp"
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return ".zip"
    if _binary_stl(head, size_bytes):
        return ".stl"
    return _text_kind(start)


def _binary_stl(head: bytes, size_bytes: int) -> bool:
    if len(head) < _STL_HEADER_BYTES:
        return False
    triangles = int.from_bytes(head[80:_STL_HEADER_BYTES], "little")
    return size_bytes == _STL_HEADER_BYTES + triangles * _STL_TRIANGLE_BYTES


def _text_kind(start: bytes) -> str:
    lowered = start[:1024].lower()
    if lowered.startswith((b"<!doctype html", b"<html")):
        return ".html"
    if lowered.startswith(b"solid") and (b"facet" in lowered or b"endsolid" in lowered):
        return ".stl"
    if lowered.startswith((b"<?xml", b"<amf")) and b"<amf" in lowered:
        return ".amf"
    if start.startswith(b"{") and b'"asset"' in start:
        return ".gltf"
    if b"\0" not in start and _OBJ_LINE.search(start):
        return ".obj"
    return ""
