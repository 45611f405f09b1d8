"""A wish put into a configured request: values for its templates, and the body that they make."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from coordinator.adapters.providers.http import Part
from coordinator.adapters.providers.own_server.options import Call, OwnServerOptions, Submit
from coordinator.adapters.providers.own_server.templates import fill
from coordinator.domain.providing import Handle, Picture, Wish

_SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg"}


def values_of_wish(options: OwnServerOptions, wish: Wish, key: str) -> dict[str, Any]:
    """Return what a submit's templates may ask for; what the wish does not say is not in it."""
    first = wish.pictures[0] if wish.pictures else None
    values: dict[str, Any] = {
        "key": key,
        "prompt": wish.prompt or None,
        "seed": wish.seed,
        "size_mm": wish.size_mm,
        "callback_url": options.callback_url or None,
        "image_b64": _base64(first) if first else None,
        "image_data_uri": _data_uri(first) if first else None,
        "image_file": first,
        "images_b64": [_base64(each) for each in wish.pictures] or None,
        "images_data_uri": [_data_uri(each) for each in wish.pictures] or None,
        "image_files": wish.pictures or None,
        **{f"option.{name}": value for name, value in wish.options.items()},
    }
    known = {name: value for name, value in values.items() if value is not None}
    return {**options.constants, **known}


def values_of_task(options: OwnServerOptions, handle: Handle) -> dict[str, Any]:
    """Return what later requests' templates may ask for."""
    return {**options.constants, "task_id": handle.task_id, "key": str(handle.extra.get("key", ""))}


def path_of(template: str, values: Mapping[str, Any]) -> str:
    """Return a path; what is filled in can't add to it, nor lead elsewhere."""
    escaped = {name: quote(_plain(value), safe="") for name, value in values.items()}
    # Dots are no escape's business, and two of them lead up.
    escaped = {
        name: text.replace(".", "%2E") if set(text) == {"."} else text
        for name, text in escaped.items()
    }
    return str(fill(template, escaped) or "")


def headers_of(call: Call, values: Mapping[str, Any]) -> dict[str, str]:
    """Return a request's headers; no line's end, nor other sign that is not printed, is in them."""
    filled = {name: fill(text, values) for name, text in call.headers.items()}
    return {name: _printable(_plain(value)) for name, value in filled.items() if value is not None}


def form_of(body: Any, values: Mapping[str, Any]) -> list[Part]:
    """Return a form's fields: texts as they are, pictures as files, all else as JSON."""
    return [
        part
        for name, template in (body or {}).items()
        for part in _parts(name, fill(template, values))
    ]


def picture_to_send(submit: Submit, wish: Wish) -> Picture | None:
    """Return the picture that is the whole body, where it is sent so."""
    return wish.pictures[0] if submit.body_mode == "raw" and wish.pictures else None


def _parts(name: str, value: Any) -> list[Part]:
    if value is None:
        return []
    if isinstance(value, Picture):
        return [_file(name, (value,), 0)]
    if isinstance(value, tuple):
        return [_file(name, value, number) for number in range(len(value))]
    if isinstance(value, str):
        return [Part(name=name, data=value)]
    return [Part(name=name, data=json.dumps(value), media_type="application/json")]


def _file(name: str, pictures: Sequence[Picture], number: int) -> Part:
    picture = pictures[number]
    return Part(
        name=name,
        data=picture.data,
        file_name=f"image-{number}{_SUFFIXES.get(picture.media_type, '')}",
        media_type=picture.media_type,
    )


def _base64(picture: Picture) -> str:
    return base64.b64encode(picture.data).decode()


def _data_uri(picture: Picture) -> str:
    return f"data:{picture.media_type};base64,{_base64(picture)}"


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
