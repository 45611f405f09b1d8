"""A profile as the text of a TOML file, such as people edit."""

import json
from typing import Any

from slicing.material import Material
from slicing.printer import Printer
from slicing.quality import Quality


def toml_of(profile: Printer | Material | Quality, *, source: str) -> str:
    """Return the file's text; reading it gives an equal profile.

    Args:
        profile: what it is to hold.
        source: the file that it came from, for the comment.
    """
    values = profile.model_dump(mode="json")
    where = f"slicing/{type(profile).__name__.lower()}.py"
    comment = "".join(letter for letter in source if letter.isprintable())
    lines = [f"# Imported from {comment}.", f"# Keys and units: {where}."]
    lines += [f"{key} = {_word(value)}" for key, value in values.items() if not _is_table(value)]
    for section, keys in values.items():
        if _is_table(keys):
            lines += [
                "",
                f"[{section}]",
                *(f"{key} = {_word(value)}" for key, value in keys.items()),
            ]
    return "\n".join(lines) + "\n"


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_word, value))}]"
    # TOML's basic strings escape as JSON's do, but for DEL, which JSON leaves as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
