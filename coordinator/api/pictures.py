"""What a screen shows, and what changes between two of them: pure, so that it can be replayed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Document: TypeAlias = Mapping[str, Any]
Delta: TypeAlias = dict[str, Any]

PRINTERS, JOBS, COUNTS, HISTORY = "printers", "jobs", "counts", "history"
GENERATIONS = "generations"
_GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """All that is shown: documents by id, in order, and counts."""

    printers: Mapping[str, Document] = field(default_factory=dict)
    jobs: Mapping[str, Document] = field(default_factory=dict)
    generations: Mapping[str, Document] = field(default_factory=dict)
    counts: Document = field(default_factory=dict)


def between(before: Picture, after: Picture) -> Delta:
    """Return what makes one picture of the other: parts without a change are left out.

    Of a document that was there before only the fields that differ; fields never leave documents.
    """
    delta: Delta = {}
    gone = _none_gone()
    pairs = {
        PRINTERS: (before.printers, after.printers),
        JOBS: (before.jobs, after.jobs),
        GENERATIONS: (before.generations, after.generations),
    }
    for part, (old, new) in pairs.items():
        if changed := _changed(old, new):
            delta[part] = changed
        gone[part] = [its_id for its_id in old if its_id not in new]
    if any(gone.values()):
        delta[_GONE] = gone
    if after.counts != before.counts:
        delta[COUNTS] = after.counts
    return delta


def applied(picture: Picture, delta: Delta) -> Picture:
    """Return what somebody shows who showed this picture and hears of a delta."""
    gone = {**_none_gone(), **delta.get(_GONE, {})}
    return Picture(
        printers=_laid_on(picture.printers, delta.get(PRINTERS, {}), gone[PRINTERS]),
        jobs=_laid_on(picture.jobs, delta.get(JOBS, {}), gone[JOBS]),
        generations=_laid_on(picture.generations, delta.get(GENERATIONS, {}), gone[GENERATIONS]),
        counts=delta.get(COUNTS, picture.counts),
    )


def only(delta: Delta, parts: Collection[str]) -> Delta:
    """Return a delta as it is told to who may see these parts."""
    seen = {part: told for part, told in delta.items() if part in parts}
    if _GONE in delta:
        gone = {part: ids if part in parts else [] for part, ids in delta[_GONE].items()}
        if any(gone.values()):
            seen[_GONE] = gone
    return seen


def _none_gone() -> dict[str, list[str]]:
    return {PRINTERS: [], JOBS: [], GENERATIONS: []}


def _changed(old: Mapping[str, Document], new: Mapping[str, Document]) -> dict[str, Document]:
    found: dict[str, Document] = {}
    for its_id, document in new.items():
        before = old.get(its_id)
        if before is None:
            found[its_id] = document
        elif before is not document:
            fields = {name: said for name, said in document.items() if before[name] != said}
            if fields:
                found[its_id] = fields
    return found


def _laid_on(
    documents: Mapping[str, Document], changed: Mapping[str, Document], gone: Collection[str]
) -> Mapping[str, Document]:
    kept = {its_id: each for its_id, each in documents.items() if its_id not in gone}
    for its_id, fields in changed.items():
        kept[its_id] = {**kept.get(its_id, {}), **fields}
    return kept
