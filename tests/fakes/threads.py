"""Work in a thread for as long as a block lasts."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def in_thread(work: Callable[[], object], stop: Callable[[], object]) -> Iterator[None]:
    """Do `work` in a thread; `stop` has it end, which is waited for."""
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop()
        thread.join()
