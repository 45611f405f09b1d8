"""Broken models, mended by us and by trimesh alone: how many are whole again, by defect."""

import time
from collections.abc import Callable, Iterator, Sequence

import trimesh

from slicing.mesh import Mesh
from slicing.repair import repair
from slicing.topology import proper, weld
from tests.fakes.meshes import DEFECTS, MODELS, Corners, broken, stored

# Of 8 models with 16 defects each.
MENDED_MIN = 122

Mend = Callable[[Corners], Corners]


def ours(corners: Corners) -> Corners:
    """Return the corners as the pipeline mends them."""
    return repair(Mesh(corners, "stl")).mesh.corners


def trimesh_alone(corners: Corners) -> Corners:
    """Return the corners as `trimesh.repair` mends them."""
    mesh = trimesh.Trimesh(*weld(corners), process=True)
    mesh.update_faces(mesh.unique_faces() & mesh.nondegenerate_faces())
    trimesh.repair.fix_winding(mesh)
    trimesh.repair.fill_holes(mesh)
    trimesh.repair.fix_normals(mesh)
    found: Corners = mesh.triangles
    return found


def whole(corners: Corners, *, volume_mm3: float, bodies: int) -> bool:
    """Whether a mesh is watertight, faces outward, has its bodies, and its volume within 2 %.

    Judged by trimesh, of the corners as an STL stores them.
    """
    vertices, faces = weld(stored(corners))
    mesh = trimesh.Trimesh(vertices, faces[proper(faces)], process=False)
    return bool(
        mesh.is_watertight
        and mesh.is_winding_consistent
        and mesh.body_count == bodies
        and abs(mesh.volume - volume_mm3) <= 0.02 * volume_mm3
    )


def mended(mend: Mend, models: Sequence[str], defect: str) -> tuple[int, float]:
    """Return how many of the models are whole again, and the CPU seconds that took."""
    count, cpu_s = 0, 0.0
    for model in models:
        corners, volume_mm3 = broken(model, defect)
        begun_s = time.process_time()
        found = mend(corners)
        cpu_s += time.process_time() - begun_s
        bodies = 2 if model == "hollow" else 1
        count += whole(found, volume_mm3=volume_mm3, bodies=bodies)
    return count, cpu_s


def table(_trials: int) -> Iterator[tuple[bool | None, str]]:
    """Yield how many are mended, defect by defect, and the sums against the target."""
    yield None, f"repair: models made whole, of {len(MODELS)} with each defect"
    yield None, f"{'':28}{'farmhand':>10}{'trimesh':>10}"
    models, sums, spent_s = list(MODELS), [0, 0], [0.0, 0.0]
    for defect in DEFECTS:
        row = []
        for number, mend in enumerate((ours, trimesh_alone)):
            count, cpu_s = mended(mend, models, defect)
            sums[number] += count
            spent_s[number] += cpu_s
            row.append(count)
        yield None, f"{defect:28}{row[0]:>10}{row[1]:>10}"
    yield None, f"{'CPU s in all':28}{spent_s[0]:>10.1f}{spent_s[1]:>10.1f}"
    cases = len(MODELS) * len(DEFECTS)
    words = f"repair: {sums[0]} of {cases} whole, trimesh.repair alone {sums[1]}"
    yield sums[0] >= MENDED_MIN, f"{words} (at least {MENDED_MIN})"
