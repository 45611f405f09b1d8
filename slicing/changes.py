"""What repair did to a mesh, as numbers and as a sentence."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What was done to a mesh; all zero where it was sound.

    Attributes:
        faces_dropped: triangles without area, or there twice.
        edges_welded: open edges that closed when near corners became one.
        crumbs_dropped: loose scraps of up to three triangles.
        holes_closed: loops of open edges that were filled.
        faces_turned: triangles that faced against their neighbours.
        shells_turned: bodies that were inside out.
        shells_merged: bodies that became part of another one.
        edges_open: edges that stayed open.
        volume_before_mm3: as the file encloses it, by its own winding.
        volume_after_mm3: of the mesh that is sliced.
    """

    faces_dropped: int = 0
    edges_welded: int = 0
    crumbs_dropped: int = 0
    holes_closed: int = 0
    faces_turned: int = 0
    shells_turned: int = 0
    shells_merged: int = 0
    edges_open: int = 0
    volume_before_mm3: float = 0.0
    volume_after_mm3: float = 0.0

    @property
    def any(self) -> bool:
        """Whether the mesh that is sliced differs from the one in the file."""
        return any(getattr(self, name) for name, _ in _SAID) or self.edges_open > 0

    def sentence(self) -> str:
        """Return what was done, for a person; empty where nothing was."""
        done = [many(much, *words) for name, words in _SAID if (much := getattr(self, name))]
        found = ""
        if done:
            before, after = self.volume_before_mm3 / 1000, self.volume_after_mm3 / 1000
            found = (
                f"The model's surface was repaired ({', '.join(done)}); its volume was "
                f"{before:,.4g} cm³ and is {after:,.4g} cm³."
            )
        if self.edges_open:
            still = f"{self.edges_open:,} of its edges stay open: check the preview."
            found = f"{found} {still}" if found else f"The model's surface has holes; {still}"
        return found


def many(count: int, one: str, more: str) -> str:
    """Return a number with its noun: `1 hole`, `2,000 holes`."""
    return f"{count:,} {one if count == 1 else more}"


_SAID: tuple[tuple[str, tuple[str, str]], ...] = (
    ("holes_closed", ("hole closed", "holes closed")),
    ("edges_welded", ("open edge welded", "open edges welded")),
    ("faces_turned", ("triangle turned", "triangles turned")),
    ("shells_turned", ("body turned outward", "bodies turned outward")),
    ("shells_merged", ("body merged", "bodies merged")),
    ("crumbs_dropped", ("crumb dropped", "crumbs dropped")),
    ("faces_dropped", ("useless triangle dropped", "useless triangles dropped")),
)
