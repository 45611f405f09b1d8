"""A torn mesh made whole: cleaned, welded, closed, turned outward, its bodies made one.

A mesh that is sound already comes back as it is, bit for bit. Everything else is told in
`Changes`; nothing is refused for being open, since slicers close small gaps on their own. The
heavy libraries are imported here only, so that sound meshes never pay for them.
"""

from dataclasses import dataclass, replace

import numpy as np

from slicing.changes import Changes
from slicing.mesh import Mesh
from slicing.topology import (
    Corners,
    Faces,
    area,
    edges_of,
    joined,
    proper,
    repeated,
    same_triangle,
    sound,
    volume,
    weld,
)

# Of the mesh's diagonal. A tenth of a millimetre on a part of a metre is the widest.
_WELDING = (1e-6, 1e-5, 1e-4)

# Filling one loop can uncover another, where a corner lies on the edge of its neighbour.
_ROUNDS_MAX = 6

# Of the box around a mesh: what encloses less has no inside.
_NOTHING = 1e-6

# Fewer triangles enclose nothing.
_CRUMB_FACES_MAX = 3

# A crumb that is a share of the surface as large as this is a part of a mesh in shreds.
_CRUMBS_AREA_SHARE_MAX = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """A mesh, and what was done to it."""

    mesh: Mesh
    changes: Changes


def repair(mesh: Mesh) -> Repaired:
    """Return the mesh made whole as far as that goes; the same object where it is sound."""
    before = volume(mesh.corners)
    if sound(mesh.corners, volume_mm3=before):
        return Repaired(
            mesh=mesh, changes=Changes(volume_before_mm3=before, volume_after_mm3=before)
        )
    work = _Work(*weld(mesh.corners))
    work.clean()
    work.weld_open_edges()
    work.drop_crumbs()
    work.fill()
    corners = work.unite()
    after = volume(corners)
    changes = Changes(**work.done, volume_before_mm3=before, volume_after_mm3=after)
    hollow = abs(after) <= _NOTHING * float(np.prod(mesh.size_mm))
    if hollow:  # loose sheets: closed they would vanish, and an engine may still make walls of them
        changes = Changes(edges_open=work.open_at_first, volume_before_mm3=before)
    if hollow or not changes.any:
        return Repaired(mesh=mesh, changes=replace(changes, volume_after_mm3=before))
    return Repaired(mesh=Mesh(corners, mesh.format, mesh.warnings), changes=changes)


class _Work:
    """The mesh between the steps, and what they did so far."""

    def __init__(self, vertices: Corners, faces: Faces) -> None:
        self.vertices = vertices
        self.faces = faces
        self.done: dict[str, int] = {}
        self.open_at_first = self._open()

    def clean(self) -> None:
        """Drop triangles without corners of their own, and those that are there twice."""
        count = len(self.faces)
        self.faces = _once(self.faces[proper(self.faces)])
        self.done["faces_dropped"] = count - len(self.faces)

    def weld_open_edges(self) -> None:
        """Make corners at open edges one, nearest first, while that closes edges."""
        diagonal = float(np.linalg.norm(np.ptp(self.vertices, axis=0)))
        unpaired = _unpaired(self.faces)
        begun = len(unpaired)
        if not begun:
            return
        from scipy.spatial import cKDTree

        for share in _WELDING:
            if not len(unpaired):
                break
            loose = np.unique(unpaired)
            tree = cKDTree(self.vertices[loose])
            pairs = tree.query_pairs(share * diagonal, output_type="ndarray")
            if not len(pairs):
                continue
            faces = _merged(self.faces, loose[pairs], len(self.vertices))
            faces = _once(faces[proper(faces)])
            now = _unpaired(faces)
            if len(now) < len(unpaired):
                self.faces, unpaired = faces, now
        self.done["edges_welded"] = begun - len(unpaired)

    def drop_crumbs(self) -> None:
        """Drop scraps that enclose nothing, unless the whole mesh is in shreds."""
        from slicing.winding import shells

        shell = shells(self.faces)
        counts = np.bincount(shell.of_face, minlength=shell.count)
        crumb = counts <= _CRUMB_FACES_MAX
        loose = crumb[shell.of_face]
        areas = self._areas()
        if areas[loose].sum() > _CRUMBS_AREA_SHARE_MAX * areas.sum():
            return
        self.faces = self.faces[~loose]
        self.done["crumbs_dropped"] = int(crumb.sum())

    def fill(self) -> None:
        """Turn bodies outward, close loops of open edges round by round, and turn them again."""
        from slicing.closing import loops, patch
        from slicing.winding import agreed

        self.faces, self.done["faces_turned"] = agreed(self.faces, self._areas())
        self.done["shells_turned"] = self._turn_outward()
        closed = 0
        for _ in range(_ROUNDS_MAX):
            left = self._open()
            if not left:
                break
            found = loops(self.faces)
            more = patch(self.vertices, found)
            faces = _once(np.concatenate((self.faces, more)))  # a lone triangle goes with its back
            if not len(more) or len(edges_of(faces).open_ends) >= left:
                break
            self.faces = faces
            closed += len(found)
        self.done["holes_closed"] = closed
        if closed:
            self.done["shells_turned"] += self._turn_outward()

    def unite(self) -> Corners:
        """Return the corners, bodies that overlap made one."""
        from slicing.winding import touching_boxes

        corners = self.vertices[self.faces]
        self.done["edges_open"] = self._open()
        if self._shell.count > 1 and touching_boxes(corners, self._shell):
            from slicing.uniting import united

            whole = united(self.vertices, self.faces, self._shell)
            if whole is not None:
                corners, self.done["shells_merged"] = whole
        return corners

    def _turn_outward(self) -> int:
        """Turn bodies that are inside out; return how many were."""
        from slicing.winding import outward, shells

        self._shell = shells(self.faces)
        self.faces, turned = outward(self.vertices, self.faces, self._shell)
        return turned

    def _open(self) -> int:
        return len(edges_of(self.faces).open_ends)

    def _areas(self) -> Corners:
        return area(self.vertices[self.faces])


def _unpaired(faces: Faces) -> Faces:
    """Return the ends of edges with an odd number of triangles, whichever way these face."""
    edges = edges_of(faces)
    found: Faces = edges.ends[(edges.forward + edges.backward) % 2 == 1]
    return found


def _once(faces: Faces) -> Faces:
    """Return every triangle once; of two that face each other, none."""
    if not repeated(faces):
        return faces
    _, first, group, uses = np.unique(
        same_triangle(faces), return_index=True, return_inverse=True, return_counts=True
    )
    a, b, c = faces.T
    even = ((a < b) & (b < c)) | ((b < c) & (c < a)) | ((c < a) & (a < b))
    balance = np.bincount(group.reshape(-1), weights=np.where(even, 1, -1), minlength=len(first))
    kept = first[(balance != 0) | (uses % 2 == 1)]
    found: Faces = faces[np.sort(kept)]
    return found


def _merged(faces: Faces, pairs: Faces, vertices: int) -> Faces:
    """Return the triangles with each pair of vertices made one."""
    label = joined(pairs, vertices)
    _, first = np.unique(label, return_index=True)
    found: Faces = first[label][faces]
    return found
