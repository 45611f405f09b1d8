"""Whether a wish is one that an offer takes: the part that is the same for all providers."""

from coordinator.domain.providing import Kind, Offer, Option, Wish

_PICTURES = {Kind.IMAGE: (1, 1), Kind.MULTIVIEW: (2, 8)}
_NEEDS = {
    Kind.TEXT: ("prompt", "say in words what is wanted"),
    Kind.CODE: ("code", "there is no code"),
    Kind.LINK: ("url", "there is no address"),
    Kind.MESH: ("mesh_sha256", "there is no mesh"),
}
_WORDS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WebP"}
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def objection_of(offer: Offer, wish: Wish) -> str:
    """Return why an offer does not take a wish, empty where nothing speaks against it."""
    if wish.kind not in offer.kinds:
        taken = ", ".join(sorted(offer.kinds))
        return f"{offer.title} makes nothing of kind {wish.kind}; it takes {taken}"
    name, words = _NEEDS.get(wish.kind, ("", ""))
    if name and not getattr(wish, name).strip():
        return words
    if 0 < offer.prompt_chars_max < len(wish.prompt):
        return f"{offer.title} takes at most {offer.prompt_chars_max} characters of words"
    return _objection_to_pictures(offer, wish) or _objection_to_options(offer, wish)


def _objection_to_pictures(offer: Offer, wish: Wish) -> str:
    least, most = _PICTURES.get(wish.kind, (0, offer.pictures_max))
    most = min(most, offer.pictures_max)
    if not least <= len(wish.pictures) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        return f"{offer.title} takes {wanted} pictures for this, and there are {len(wish.pictures)}"
    for picture in wish.pictures:
        if picture.media_type not in offer.picture_types:
            taken = " and ".join(_WORDS.get(each, each) for each in offer.picture_types)
            brought = _WORDS.get(picture.media_type, picture.media_type)
            return f"{offer.title} takes {taken}, and this picture is a {brought}: save it as one"
        if 0 < offer.picture_bytes_max < len(picture.data):
            return f"{offer.title} takes pictures of at most {offer.picture_bytes_max} bytes"
    return ""


def _objection_to_options(offer: Offer, wish: Wish) -> str:
    known = {option.name: option for option in offer.options}
    for name, value in wish.options.items():
        if name not in known:
            return f"{offer.title} has no option {name}; it has {', '.join(known) or 'none'}"
        if not _fits(known[name], value):
            choices = ", ".join(known[name].choices)
            return f"the option {name} is a {known[name].type}" + (
                f", one of {choices}" if choices else ""
            )
    return ""


def _fits(option: Option, value: str | int | float | bool) -> bool:
    if isinstance(value, bool) and option.type != "boolean":
        return False
    right = isinstance(value, _TYPES[option.type])
    return right and (not option.choices or str(value) in option.choices)
