"""Names of files that strangers chose, in answers."""

import re
from urllib.parse import quote

from coordinator.domain.file_names import NAME_CHARACTERS_MAX as NAME_CHARACTERS_MAX
from coordinator.domain.file_names import file_name_of as file_name_of
from coordinator.domain.file_names import suffix_of as suffix_of

_NOT_IN_QUOTES = re.compile(r"[^A-Za-z0-9 ._()+-]")


def disposition_of(name: str) -> str:
    """Return a Content-Disposition that offers a file for saving, after RFC 6266."""
    plain = _NOT_IN_QUOTES.sub("_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
