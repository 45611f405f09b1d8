"""What a coordinator that serves keeps in memory: it shares a small machine with others.

Theory. Most pages of the libraries were needed once: to read modules, to build checks, to migrate.
The system takes such pages back when memory is short, which on a Pi is when a slicer wants it and
everybody waits. So we give them back ourselves, now and then; what is needed comes back from the
file by itself, 64 KiB a time. The same goes for what the allocator keeps of a burst.
"""

import ctypes
import dataclasses
import gc
import inspect
import linecache
import re
import reprlib
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, cast

# structlog loads rich for prettier tracebacks where it is installed, at 8 MiB, and greenlet. Of
# SQLModel only the tables are wanted, which cost less: see `adapters/db/shape.py`.
UNWANTED = ("rich", "greenlet", "sqlmodel")

_READ = re.compile(r"(coordinator|protocols|pydantic\w*)\b")

_MAPS = Path("/proc/self/smaps")
# Programs and libraries that nobody writes to; anything else may be unmapped at any time.
_MAPPING = re.compile(
    r"([0-9a-f]+)-([0-9a-f]+) r-.p \S+ \S+ \S+ +/\S*(?:\.so[.0-9]*|/python[.0-9]*)$"
)
# Pages that were written to, by the loader say, are nowhere else.
_UNTOUCHED = re.compile(r"Anonymous: +0 kB")
_DONTNEED = 4  # madvise(2)


def keep_out() -> None:
    """Have what nobody here needs not found, as if it were not installed; before all else."""
    for name in UNWANTED:
        sys.modules.setdefault(name, cast(ModuleType, None))
    # APScheduler's pools bring multiprocessing, and bells ring on the loop.
    pools = ModuleType("apscheduler.executors.pool")
    pools.ThreadPoolExecutor = None  # type: ignore[attr-defined]
    sys.modules.setdefault(pools.__name__, pools)


def slim() -> None:
    """Forget what was needed to load modules, once all are: what comes next takes its place.

    Takes a tenth of a second.
    """
    linecache.clearcache()
    re.purge()
    sys.path_importer_cache.clear()
    for each in gc.get_objects():
        if isinstance(each, type) and "__dataclass_params__" in vars(each):
            share_methods(each)
        if isinstance(each, type | FunctionType) or type(each) is ModuleType:
            forget_words(each)
    gc.collect()


def settle() -> None:
    """Keep what is there now for good, and give back what only the start needed."""
    # Looking for garbage in what stays takes 0.1 s each time. What is garbage already would stay.
    gc.collect()
    gc.freeze()
    give_back()


def share_methods(kind: type) -> None:
    """Have one method do for all dataclasses, where each was given its own.

    Of a frozen one with slots they also keep what it was made of: another class. 3 MiB in all.
    """
    if kind.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        type.__setattr__(kind, "__setattr__", _refuse_to_set)
        type.__setattr__(kind, "__delattr__", _refuse_to_delete)
    told = inspect.unwrap(vars(kind).get("__repr__", repr))
    if isinstance(told, FunctionType) and told.__code__.co_filename == "<string>":
        type.__setattr__(kind, "__repr__", _told)


def _refuse_to_set(self: object, name: str, _value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(self: object, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


@reprlib.recursive_repr()
def _told(self: Any) -> str:
    shown = (each.name for each in dataclasses.fields(self) if each.repr)
    values = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
    return f"{type(self).__qualname__}({values})"


def forget_words(each: "type | FunctionType | ModuleType") -> None:
    """Forget what a library says of itself to people; ours the API tells, and pydantic reads."""
    # As it stands: what a module or a class makes of a question may import half a library.
    told = vars(each)
    name = each.__module__ if isinstance(each, FunctionType) else told.get("__module__")
    if _READ.match(str(name or told.get("__name__"))):
        return
    words = each.__doc__ if isinstance(each, FunctionType) else told.get("__doc__")
    if isinstance(words, str):
        forget = type.__setattr__ if isinstance(each, type) else setattr
        with suppress(
            TypeError, AttributeError
        ):  # a class that is not written in Python keeps its own
            forget(each, "__doc__", None)
    if isinstance(each, FunctionType):
        code = each.__code__
        if isinstance(words, str) and code.co_consts[:1] == (words,):
            each.__code__ = code.replace(co_consts=(None, *code.co_consts[1:]))
        del each.__annotations__


def give_back() -> None:
    """Give back what was needed once: code, and memory that is free within the allocator.

    Takes some 10 ms. Where the system has no such thing, nothing happens.
    """
    try:
        mappings = list(mapped_code(_MAPS.read_text()))
        system = ctypes.CDLL(None)
        system.madvise.argtypes = (ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int)
        for begin, end in mappings:
            system.madvise(begin, end - begin, _DONTNEED)
        system.malloc_trim(0)
    except (OSError, AttributeError):  # not Linux; not glibc
        return


def mapped_code(smaps: str) -> Iterator[tuple[int, int]]:
    """Yield where code is mapped, as far as it is what its file has; see proc(5)."""
    mapping: re.Match[str] | None = None
    for line in smaps.splitlines():
        if "-" in line.partition(" ")[0]:
            mapping = _MAPPING.match(line)
        elif mapping is not None and _UNTOUCHED.match(line):
            yield int(mapping[1], 16), int(mapping[2], 16)
