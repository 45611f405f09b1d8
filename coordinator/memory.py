"""How this process keeps memory: what the C library may do with what was freed."""

import ctypes
import gc

# Of glibc's <malloc.h>.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
# The list of 500 printers is half a megabyte, made anew with every change. By itself glibc gives
# such a block back to the system each time, and the next costs 130 page faults: ten times the copy.
_KEPT_BYTES = 4 * 1024 * 1024


def keep_what_is_used_again() -> None:
    """Have a few megabytes that were freed kept for what comes next."""
    if (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        mallopt(_M_MMAP_THRESHOLD, _KEPT_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)


def settle() -> None:
    """Give back what only the start needed; what is there now stays, and is no garbage.

    Looking for garbage in it would take 0.1 s each time.
    """
    gc.collect()
    gc.freeze()
    if (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        trim(0)
