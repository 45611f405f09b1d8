"""An upload on its way from the socket to the disk: never whole in memory, never too long."""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from coordinator.api.incoming import Incoming, form_in
from coordinator.api.names import file_name_of, suffix_of
from coordinator.api.problems import BadRequest, FieldError, Problem
from coordinator.ports import ArtifactStore, StagedFile

CHUNK_BYTES = 256 * 1024

# Slicer settings as JSON are the longest of the fields; real ones stay below 10 KiB.
FIELD_BYTES_MAX = 64 * 1024
FIELDS_MAX = 32

# The library's ways of saying that boundaries, headers, encodings or the transfer are broken.
_BROKEN = (ValueError, AssertionError, EOFError, HttpProcessingError, web.RequestPayloadError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What a form brought: its one file, under a safe name, and its fields."""

    file: StagedFile
    file_name: str
    fields: Mapping[str, str]


@dataclass(slots=True)
class Form:
    """What a form brought so far; its file may be none."""

    fields: dict[str, str] = field(default_factory=dict)
    file_name: str = ""
    file: StagedFile | None = None


def fingerprint_of(upload: Upload | Form) -> str:
    """Return a hash of all that a form brought; its boundary, and the parts' order, are nothing."""
    sha256 = upload.file.sha256 if upload.file is not None else ""
    said = [sha256, upload.file_name, sorted(upload.fields.items())]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


@asynccontextmanager
async def received(
    request: web.Request, artifacts: ArtifactStore, *, file_bytes_max: int
) -> AsyncIterator[Upload]:
    """Read a multipart form with one part `file`; else as `received_form`.

    Raises:
        BadRequest: no form, no file, too long.
        Unavailable: the disk is full.
    """
    async with received_form(request, artifacts, file_bytes_max=file_bytes_max) as form:
        if form.file is None:
            raise no_file()
        yield Upload(file=form.file, file_name=form.file_name, fields=form.fields)


@asynccontextmanager
async def received_form(
    request: web.Request, artifacts: ArtifactStore, *, file_bytes_max: int
) -> AsyncIterator[Form]:
    """Read a multipart form, with a part `file` or without; the rest are fields, in any order.

    The staged file is gone at the end of the block unless it was kept.

    Raises:
        BadRequest: no form, too long.
        Unavailable: the disk is full.
    """
    if not request.content_type.startswith("multipart/form-data"):
        raise _refused(415, "not_a_form", "Send multipart/form-data with the model as `file`.")
    _require_plain(request.headers)
    form_bytes_max = file_bytes_max + FIELDS_MAX * FIELD_BYTES_MAX
    if (request.content_length or 0) > form_bytes_max:
        raise _too_large(file_bytes_max)
    form = Form()
    async with AsyncExitStack() as stack:
        try:
            too_large = _too_large(file_bytes_max)
            parts = form_in(request, bytes_max=form_bytes_max, too_large=too_large)
            await _read(parts, artifacts, form, stack, file_bytes_max)
        except _BROKEN as error:
            raise _refused(400, "broken_form", "The form ends early or is malformed.") from error
        yield form


@asynccontextmanager
async def received_whole(
    request: web.Request, artifacts: ArtifactStore, *, file_name: str, file_bytes_max: int
) -> AsyncIterator[Upload]:
    """Read a body that is nothing but the file; else as `received`.

    Args:
        file_name: as the caller wrote it.

    Raises:
        BadRequest: it ends early, or is too long.
        Unavailable: the disk is full.
    """
    _require_plain(request.headers)
    if (request.content_length or 0) > file_bytes_max:
        raise _too_large(file_bytes_max)
    name = file_name_of(file_name)
    body = Incoming(request.content, bytes_max=file_bytes_max, too_large=_too_large(file_bytes_max))
    async with artifacts.stage(suffix_of(name)) as file:
        try:
            while chunk := await body.read(CHUNK_BYTES):
                await _append(file, chunk, file_bytes_max)
        except _BROKEN as error:
            raise _refused(400, "broken_body", "The file ends early.") from error
        yield Upload(file=file, file_name=name, fields={})


def no_file() -> BadRequest:
    """Return the answer to a form that lacks its file."""
    return BadRequest(
        Problem(
            status=422,
            code="no_file",
            title="No file",
            detail="Send the model or the G-code as the part `file`.",
            errors=(FieldError(pointer="/file", detail="is missing"),),
        )
    )


async def _read(
    parts: MultipartReader,
    artifacts: ArtifactStore,
    form: Form,
    stack: AsyncExitStack,
    file_bytes_max: int,
) -> None:
    async for part in parts:
        if not isinstance(part, BodyPartReader) or not part.name:
            raise _refused(400, "broken_form", "Every part of the form needs a name.")
        _require_plain(part.headers)
        if part.name == "file":
            if form.file is not None:
                raise _refused(422, "two_files", "Send one file for each job.")
            form.file_name = file_name_of(part.filename or "")
            form.file = await stack.enter_async_context(artifacts.stage(suffix_of(form.file_name)))
            await _stage(part, form.file, file_bytes_max)
        elif len(form.fields) >= FIELDS_MAX:
            raise _refused(413, "too_many_fields", f"A form has at most {FIELDS_MAX} fields.")
        elif part.name in form.fields:
            raise _refused(422, "repeated_field", f"The field {part.name[:40]!r} comes twice.")
        else:
            form.fields[part.name] = await _text(part)


def _require_plain(headers: Mapping[str, str]) -> None:
    """Refuse what came compressed: unpacking is where bombs go off.

    Raises:
        BadRequest: 415.
    """
    if headers.get("Content-Encoding", "identity").lower() != "identity":
        raise _refused(415, "compressed", "Send the file as it is, not compressed.")


async def _stage(part: BodyPartReader, file: StagedFile, file_bytes_max: int) -> None:
    while chunk := await part.read_chunk(CHUNK_BYTES):
        await _append(file, chunk, file_bytes_max)


async def _append(file: StagedFile, chunk: bytes, file_bytes_max: int) -> None:
    if file.size_bytes + len(chunk) > file_bytes_max:
        raise _too_large(file_bytes_max)
    await file.write(chunk)


async def _text(part: BodyPartReader) -> str:
    data = bytearray()
    while chunk := await part.read_chunk(FIELD_BYTES_MAX):
        data += chunk
        if len(data) > FIELD_BYTES_MAX:
            raise _refused(413, "field_too_large", f"A field has at most {FIELD_BYTES_MAX} bytes.")
    return data.decode("utf-8")


def _refused(status: int, code: str, detail: str) -> BadRequest:
    return BadRequest(Problem(status=status, code=code, title="Bad upload", detail=detail))


def _too_large(file_bytes_max: int) -> BadRequest:
    return BadRequest(
        Problem(
            status=413,
            code="too_large",
            title="Too large",
            detail=f"Files may have {file_bytes_max / 2**20:.0f} MiB here; "
            "the setting upload_bytes_max raises that.",
            facts={"upload_bytes_max": file_bytes_max},
        )
    )
