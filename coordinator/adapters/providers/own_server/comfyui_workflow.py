"""A workflow of ComfyUI, as it was exported for the API, with placeholders in it."""

import json
from pathlib import Path
from typing import Any

from pydantic import Field

from coordinator.adapters.providers.options import MIB, HttpOptions
from coordinator.adapters.providers.own_server.options import Choice, Name
from coordinator.adapters.providers.own_server.templates import placeholders
from coordinator.domain.providing import (
    PICTURE_TYPES,
    WEBP,
    Again,
    Cancels,
    Kind,
    Offer,
    Option,
)
from coordinator.errors import SettingsInvalid

_WORKFLOW_BYTES_MAX = 4 * MIB


class ComfyUIOptions(HttpOptions):
    """Where it is, and what it shall do.

    Attributes:
        workflow_file: a workflow as *Export (API)* writes it, with `${prompt}`, `${image}`,
            `${image_2}` ..., `${seed}`, `${size_mm}`, `${filename_prefix}`, `${option.NAME}` in it.
        outputs: the nodes whose files count; all where it is empty.
        options: settings that a wish may name.
    """

    base_url: str = "http://127.0.0.1:8188"
    title: str = ""
    workflow_file: str
    outputs: tuple[str, ...] = ()
    kinds: frozenset[Kind] = frozenset({Kind.IMAGE})
    options: dict[Name, Choice] = Field(default_factory=dict)
    needs_size: bool = True
    prompt_chars_max: int = Field(default=2000, ge=0)
    pictures_max: int = Field(default=1, ge=0, le=25)
    picture_bytes_max: int = Field(default=20 * MIB, gt=0)
    look_every_s: float = Field(default=2.0, gt=0)
    patience_s: float = Field(default=1800.0, gt=0)


def workflow_of(name: str, options: ComfyUIOptions) -> dict[str, Any]:
    """Return the workflow of a file.

    Raises:
        SettingsInvalid: it can't be read, or is none for the API.
    """
    where = f"the provider {name!r}: workflow_file"
    try:
        with Path(options.workflow_file).expanduser().open("rb") as file:
            found = json.loads(file.read(_WORKFLOW_BYTES_MAX))
        asked = placeholders(found)
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or "it is no workflow"
        raise SettingsInvalid(f"{where} can't be read: {reason}") from error
    graph = isinstance(found, dict) and found and all(map(_is_node, found.values()))
    if not graph:
        raise SettingsInvalid(f"{where}: export it from ComfyUI with Export (API)")
    known = {"prompt", "seed", "size_mm", "filename_prefix"}
    known |= {"image"} | {f"image_{number}" for number in range(2, options.pictures_max + 1)}
    known |= {f"option.{choice}" for choice in options.options}
    if unknown := sorted(asked - known):
        listed = ", ".join(sorted(known))
        raise SettingsInvalid(f"{where} asks for ${{{unknown[0]}}}; there are {listed}")
    return dict(found)


def _is_node(node: Any) -> bool:
    return isinstance(node, dict) and "class_type" in node


def offer_of(title: str, options: ComfyUIOptions) -> Offer:
    """Return what a workflow takes and gives, as the settings say."""
    return Offer(
        service="comfyui",
        title=title,
        kinds=options.kinds,
        prompt_chars_max=options.prompt_chars_max,
        pictures_max=options.pictures_max,
        picture_bytes_max=options.picture_bytes_max,
        picture_types=(*PICTURE_TYPES, WEBP),
        options=tuple(
            Option(name=name, type=each.type, words=each.words, choices=each.choices)
            for name, each in options.options.items()
        ),
        needs_size=options.needs_size,
        again=Again.LISTED,
        cancels=Cancels.ALWAYS,
        look_every_s=options.look_every_s,
        patience_s=options.patience_s,
    )
