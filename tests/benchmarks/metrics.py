"""Measure a scrape of `/metrics`: time, size, processor, and what the farm feels of it meanwhile.

Usage: ./farmhand bench metrics [--printers N] [--scrapes N] [--jobs N] [--events N]

A coordinator with a large farm as one finds it (`page_farm`): printers of all states that measure
once a second, a queue, a history. It is scraped once a second, so that every printer has changed in
between; whole, and compressed as Prometheus asks for it. Beside it, of the same run: Prometheus'
own library that renders the same series, and a bare aiohttp handler that sends the same bytes.
Meanwhile a client asks for its own name again and again: the longest that it waits is the longest
that anybody waits. What a scrape takes of the processor would drown there in telemetry; so it is
measured afterwards, on the same database in a process that does nothing else (`metrics_cpu`).
"""

import argparse
import gzip
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import Request, urlopen

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from tests.benchmarks.farm_processes import Stored
from tests.benchmarks.front import reference
from tests.benchmarks.metrics_cpu import scrape_ms
from tests.benchmarks.page_farm import large_farm
from tests.fakes.processes import Coordinator

PATH = "/metrics"
OTHER = "/api/v1/me"
SCRAPE_S = 1.0
# Prometheus gives up after 10 s and asks every 15: a tenth of a second is felt by nobody.
P99_MS_MAX = 100.0
LATER_MS_MAX = 20.0
CPU_RATIO_MAX = 1.0
RENDERED = 20


@dataclass(slots=True, kw_only=True)
class Scraped:
    """Scrapes of one kind.

    Attributes:
        took_ms, other_ms: of scrapes, and of who asks for something else meanwhile; sorted.
        cpu_ms: of the processor, one scrape.
        bare_ms: what a bare handler took for the same bytes; sorted.
    """

    took_ms: list[float]
    other_ms: list[float]
    bare_ms: list[float]
    body_bytes: int
    cpu_ms: float = 0.0


@dataclass(slots=True)
class Found:
    """Everything that was measured.

    Attributes:
        kinds: `whole` and `gzip`.
        alone_ms: of who asks for something else while nobody scrapes, sorted.
        series: how many samples a scrape holds, by metric.
        library_ms: of the processor's time that Prometheus' own library takes to render them.
    """

    kinds: dict[str, Scraped] = field(default_factory=dict)
    alone_ms: list[float] = field(default_factory=list)
    series: Counter[str] = field(default_factory=Counter)
    library_ms: float = 0.0


def measure(*, printers: int, scrapes: int, jobs: int, events: int) -> Found:
    """Run all of it."""
    found = Found()
    with TemporaryDirectory(prefix="farmhand-metrics-", dir="/var/tmp") as name:
        folder = Path(name)
        (folder / "farm").mkdir()
        with large_farm(folder / "farm", printers=printers, jobs=jobs, events=events) as farm:
            text = _asked(farm.url + PATH, farm.token)[1]
            _settled(farm)
            with _asking(farm) as found.alone_ms:
                time.sleep(scrapes * SCRAPE_S)
            for kind in ("whole", "gzip"):
                found.kinds[kind] = _scraped(farm, folder / kind, scrapes)
        for kind, scraped in found.kinds.items():
            scraped.cpu_ms = scrape_ms(folder / "farm", scrapes, compressed=kind == "gzip")
    found.series = Counter(
        sample.name
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    )
    found.library_ms = library_ms(text.decode())
    return found


def library_ms(text: str) -> float:
    """Return what Prometheus' own library takes of the processor to write these series, in ms."""
    registry = CollectorRegistry()
    registry.register(_Known(list(text_string_to_metric_families(text))))
    begun_s = time.process_time()
    for _ in range(RENDERED):
        generate_latest(registry)
    return (time.process_time() - begun_s) * 1000 / RENDERED


class _Known(Collector):
    """Families that are there already: what it takes to gather them is left out."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families


def _scraped(farm: Coordinator, body: Path, scrapes: int) -> Scraped:
    compressed = body.name == "gzip"
    took: list[float] = []
    begun_s = time.monotonic()
    with _asking(farm) as others:
        for number in range(scrapes):
            took_ms, data = _asked(farm.url + PATH, farm.token, compressed=compressed)
            took.append(took_ms)
            time.sleep(max(0.0, begun_s + (number + 1) * SCRAPE_S - time.monotonic()))
    body.write_bytes(data)
    with reference(body, PATH) as url:
        bare = sorted(_asked(url + PATH, farm.token)[0] for _ in range(scrapes))
    return Scraped(
        took_ms=sorted(took),
        other_ms=others,
        bare_ms=bare,
        body_bytes=len(data),
    )


def _asked(url: str, token: str, *, compressed: bool = False) -> tuple[float, bytes]:
    """Return how long an answer took, in ms, and its bytes as they came."""
    headers = {"Authorization": f"Bearer {token}"}
    if compressed:
        headers["Accept-Encoding"] = "gzip"
    begun_s = time.perf_counter()
    with urlopen(Request(url, headers=headers), timeout=60) as answer:
        data = bytes(answer.read())
        packed = answer.headers.get("Content-Encoding") == "gzip"
    took_ms = (time.perf_counter() - begun_s) * 1000
    assert not packed or gzip.decompress(data)
    return took_ms, data


def _settled(farm: Coordinator) -> None:
    """Wait until nothing is left to be said and sliced: what is measured is a farm at work."""
    stored = Stored(farm.folder)
    while stored.count("outbox"):
        time.sleep(0.2)


@contextmanager
def _asking(farm: Coordinator) -> Iterator[list[float]]:
    """Ask for something small fifty times a second; the list is whole and sorted in the end."""
    took: list[float] = []
    over = threading.Event()

    def ask() -> None:
        while not over.wait(0.02):
            took.append(_asked(farm.url + OTHER, farm.token)[0])

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield took
    finally:
        over.set()
        asking.join()
        took.sort()


def later_ms(found: Found, scraped: Scraped) -> float:
    """Return by how much the slowest hundredth of other answers waits longer for scrapes."""
    return _at(scraped.other_ms, 0.99) - _at(found.alone_ms, 0.99)


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def verdicts(found: Found) -> Iterator[tuple[bool, str]]:
    """Yield whether each target was reached, in words."""
    for kind, scraped in found.kinds.items():
        p99 = _at(scraped.took_ms, 0.99)
        yield p99 < P99_MS_MAX, f"{kind}: p99 {p99:.1f} ms ({P99_MS_MAX:.0f})"
        later = later_ms(found, scraped)
        yield later < LATER_MS_MAX, f"{kind}: others wait {later:+.1f} ms ({LATER_MS_MAX:.0f})"
    ratio = found.kinds["whole"].cpu_ms / found.library_ms
    words = f"whole: {ratio:.2f} of what Prometheus' library takes ({CPU_RATIO_MAX:.1f})"
    yield ratio < CPU_RATIO_MAX, words


def readable(found: Found) -> Iterator[str]:
    """Yield the figures, with what was reached by references in the same run."""
    yield f"{found.series.total()} series of {len(found.series)} names; most are of:"
    yield from (f"{count:>8}  {name}" for name, count in found.series.most_common(5))
    for kind, scraped in found.kinds.items():
        yield (
            f"{kind:>8}  {scraped.body_bytes / 1024:7.1f} KiB"
            f"  p50 {_at(scraped.took_ms, 0.5):6.1f} ms  p99 {_at(scraped.took_ms, 0.99):6.1f} ms"
            f"  CPU {scraped.cpu_ms:5.1f} ms"
        )
        yield f"{'':>8}  the same bytes, bare: {_spread(scraped.bare_ms)}"
        yield f"{'':>8}  others meanwhile: {_spread(scraped.other_ms)}"
    yield f"{'nobody':>8}  others: {_spread(found.alone_ms)}"
    yield f"{'library':>8}  CPU {found.library_ms:.1f} ms"
    yield from (f"{'PASS' if reached else 'FAIL'}  {words}" for reached, words in verdicts(found))


def _spread(ordered: Sequence[float]) -> str:
    return (
        f"p50 {_at(ordered, 0.5):.1f} ms, p99 {_at(ordered, 0.99):.1f} ms,"
        f" longest {ordered[-1]:.1f} ms of {len(ordered)}"
    )


def main(argv: Sequence[str]) -> int:
    """Run the benchmark; returns 0 when no target was missed, else 1."""
    parser = argparse.ArgumentParser(prog="farmhand bench metrics", description=__doc__)
    parser.add_argument("--printers", type=int, default=500)
    parser.add_argument("--scrapes", type=int, default=60, help="of each kind, one a second (60)")
    parser.add_argument("--jobs", type=int, default=1000, help="that wait (1000)")
    parser.add_argument("--events", type=int, default=100_000, help="lines of history (100000)")
    wanted = parser.parse_args(argv)
    found = measure(
        printers=wanted.printers, scrapes=wanted.scrapes, jobs=wanted.jobs, events=wanted.events
    )
    for line in readable(found):
        sys.stdout.write(line + "\n")
    return 0 if all(reached for reached, _ in verdicts(found)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
