"""Names of files that strangers chose: what may be kept of them."""

import re
import unicodedata

# Room for a long title, short enough for every file system and table.
NAME_CHARACTERS_MAX = 120

_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")


def file_name_of(given: str) -> str:
    """Return a name without folders and control characters; empty where nothing is left of it."""
    text = unicodedata.normalize("NFC", given.replace("\\", "/")).rsplit("/", 1)[-1]
    # Category C: control, format (turns the reading direction), surrogate, private, unassigned.
    text = "".join(sign for sign in text if not unicodedata.category(sign).startswith("C"))
    text = text.strip().lstrip(".").strip()
    stem, suffix = text[: -len(suffix_of(text)) or None], text[len(text) - len(suffix_of(text)) :]
    return stem[: NAME_CHARACTERS_MAX - len(suffix)] + suffix


def suffix_of(name: str) -> str:
    """Return a name's ending in lower case, `.stl`, or an empty text where it has no plain one."""
    dot = name.rfind(".")
    suffix = name[dot:].lower() if dot > 0 else ""
    return suffix if _SUFFIX.fullmatch(suffix) else ""
