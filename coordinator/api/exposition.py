"""Prometheus' text format, version 0.0.4: pure.

Prometheus' own library loads 22 MiB for these lines; a test has it read what is written here.
"""

import re
from collections.abc import Iterable, Mapping

from coordinator.usecases.counted import Buckets, Series

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_ODD = re.compile(r'[\\"\n]')
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def labels(**given: str) -> str:
    """Return labels as they stand behind a name, in the order given; nothing for none."""
    told = [
        f'{name}="{said.translate(_ESCAPES) if _ODD.search(said) else said}"'
        for name, said in given.items()
    ]
    return "{" + ",".join(told) + "}" if told else ""


class Exposition:
    """A page of metrics in the making."""

    def __init__(self) -> None:
        """Begin with an empty page."""
        self._lines: list[str] = []

    def gauge(self, name: str, words: str, samples: Iterable[tuple[str, float]]) -> None:
        """Add what goes up and down: labels as `labels` makes them, and a value, per sample."""
        self._family(name, "gauge", words, samples)

    def counter(self, name: str, words: str, samples: Iterable[tuple[str, float]]) -> None:
        """Add what only grows, until a restart; the name ends in `_total`."""
        self._family(name, "counter", words, samples)

    def histogram(self, name: str, words: str, series: Mapping[Series, Buckets]) -> None:
        """Add how long something took, by labels."""
        self._head(name, "histogram", words)
        for given, buckets in series.items():
            whose = dict(given)
            for bound, count in zip(buckets.bounds_s, buckets.upto(), strict=False):
                self._add(f"{name}_bucket", labels(**whose, le=f"{bound:g}"), count)
            self._add(f"{name}_bucket", labels(**whose, le="+Inf"), buckets.count)
            self._add(f"{name}_sum", labels(**whose), buckets.sum_s)
            self._add(f"{name}_count", labels(**whose), buckets.count)

    def block(self, name: str, kind: str, words: str, lines: Iterable[str]) -> None:
        """Add lines that are written already, one or several to a text, without their last end."""
        self._head(name, kind, words)
        self._lines += lines

    def text(self) -> str:
        """Return the page."""
        return "\n".join([*self._lines, ""])

    def _family(
        self, name: str, kind: str, words: str, samples: Iterable[tuple[str, float]]
    ) -> None:
        self._head(name, kind, words)
        for whose, value in samples:
            self._add(name, whose, value)

    def _head(self, name: str, kind: str, words: str) -> None:
        self._lines += [f"# HELP {name} {words}", f"# TYPE {name} {kind}"]

    def _add(self, name: str, whose: str, value: float) -> None:
        self._lines.append(f"{name}{whose} {value!r}")
