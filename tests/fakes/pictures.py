"""The beginnings of pictures, which is all that anybody looks at."""

JPEG = b"\xff\xd8\xff\xe0" + b"jpeg" * 8 + b"\xff\xd9"
PNG = b"\x89PNG\r\n\x1a\n" + b"png" * 8
