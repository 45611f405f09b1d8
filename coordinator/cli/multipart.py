"""A form as it is sent, after RFC 7578: fields first, then the file, which is read as it goes."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Form:
    """A body in parts, its length in bytes and its content type."""

    parts: Sequence[bytes | BinaryIO]
    size_bytes: int
    content_type: str


def form_of(fields: Mapping[str, str], file: BinaryIO | None = None, file_name: str = "") -> Form:
    """Return the form with these fields, and a file where one is given."""
    boundary = secrets.token_hex(16)
    head = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    parts: list[bytes | BinaryIO] = []
    size_bytes = 0
    tail = f"--{boundary}--\r\n"
    if file is not None:
        # As browsers do: what would end the quotes or the line is replaced.
        plain = file_name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        head += (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{plain}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        size_bytes = file.seek(0, 2)
        file.seek(0)
        parts, tail = [file], f"\r\n{tail}"
    before, after = head.encode("utf-8", "replace"), tail.encode()
    return Form(
        [before, *parts, after],
        len(before) + size_bytes + len(after),
        f"multipart/form-data; boundary={boundary}",
    )


def chunks(parts: Sequence[bytes | BinaryIO]) -> Iterator[bytes]:
    """Yield a body piece by piece."""
    for part in parts:
        if isinstance(part, bytes):
            yield part
        else:
            while chunk := part.read(CHUNK_BYTES):
                yield chunk
