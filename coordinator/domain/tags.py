"""Tags: words that people sort things by."""

from collections.abc import Iterable

from coordinator.errors import Refused

TAGS_MAX = 32
TAG_CHARACTERS_MAX = 64


def tags_of(said: Iterable[str]) -> tuple[str, ...]:
    """Return tags as they are kept: sorted, in lower case, each once, none empty.

    Raises:
        Refused: `tags_out_of_range`: there are too many, or one is too long.
    """
    tags = tuple(sorted({" ".join(each.lower().split()) for each in said} - {""}))
    if len(tags) > TAGS_MAX or any(len(tag) > TAG_CHARACTERS_MAX for tag in tags):
        words = f"at most {TAGS_MAX} tags of at most {TAG_CHARACTERS_MAX} characters"
        raise Refused("tags_out_of_range", words)
    return tags
