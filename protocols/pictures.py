"""A picture of a printer on its way to the coordinator: how large it may be, and of what kind."""

# A full-HD JPEG of a webcam has some 300 KiB.
PICTURE_BYTES_MAX = 1024 * 1024

_BEGINNINGS = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"))


def picture_type(data: bytes) -> str:
    """Return the media type that a picture's bytes are of; empty for what is no JPEG or PNG.

    Only its beginning is looked at: what somebody calls it says nothing.
    """
    return next((kind for begins, kind in _BEGINNINGS if data.startswith(begins)), "")
