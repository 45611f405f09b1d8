"""Forms as servers get them: multipart/form-data, out of a body that was read already."""

from dataclasses import dataclass
from email import message_from_bytes

from aiohttp import web


@dataclass(frozen=True)
class Field:
    """One field; a file where it has a file name."""

    name: str
    data: bytes
    file_name: str = ""


async def fields_of(request: web.Request) -> list[Field]:
    """Return the fields of a request's form."""
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    parts = message_from_bytes(head + await request.read()).get_payload()
    assert isinstance(parts, list)
    return [
        Field(
            name=str(part.get_param("name", header="content-disposition")),
            data=part.get_payload(decode=True) or b"",
            file_name=part.get_filename() or "",
        )
        for part in parts
    ]
