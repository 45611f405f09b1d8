"""Why a wish can't be met by what an offer says: pure."""

from coordinator.domain.providing import Kind, Offer, Option, Wish

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def objection_to(offer: Offer, wish: Wish) -> str:
    """Return what a wish has that is not taken, or lacks; empty where nothing is wrong."""
    if wish.kind not in offer.kinds:
        kinds = " or ".join(sorted(offer.kinds))
        return f"{offer.title} takes a wish of kind {kinds}, not {wish.kind}"
    if wish.kind is Kind.TEXT and not wish.prompt.strip():
        return "say what it shall be"
    if offer.prompt_chars_max and len(wish.prompt) > offer.prompt_chars_max:
        return f"{offer.title} takes {offer.prompt_chars_max} characters at most"
    return _pictures(offer, wish) or _options(offer, wish)


def _pictures(offer: Offer, wish: Wish) -> str:
    count = len(wish.pictures)
    least = {Kind.IMAGE: 1, Kind.MULTIVIEW: 2}.get(wish.kind, 0)
    if count < least:
        return "bring a picture" if least == 1 else "bring two pictures or more"
    if count > (1 if wish.kind is Kind.IMAGE else offer.pictures_max) * bool(least):
        return f"{offer.title} takes fewer pictures than {count} here"
    for picture in wish.pictures:
        if len(picture.data) > offer.picture_bytes_max > 0:
            return f"{offer.title} takes pictures of {offer.picture_bytes_max} bytes at most"
    return ""


def _options(offer: Offer, wish: Wish) -> str:
    known = {option.name: option for option in offer.options}
    for name, value in wish.options.items():
        if name not in known:
            return f"{offer.title} has no option {name!r}; it has {', '.join(known) or 'none'}"
        if words := _choice(known[name], value):
            return words
    return ""


def _choice(option: Option, value: object) -> str:
    fits = isinstance(value, _TYPES.get(option.type, ()))
    if not fits or (isinstance(value, bool) and option.type != "boolean"):
        return f"the option {option.name!r} is of type {option.type}"
    if option.choices and str(value) not in option.choices:
        return f"the option {option.name!r} is one of {', '.join(option.choices)}"
    return ""
