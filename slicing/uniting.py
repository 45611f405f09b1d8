"""Bodies that overlap, made one by manifold3d; what it can't take is left as it is."""

import manifold3d
import numpy as np

from slicing.topology import Corners, Faces, boxes
from slicing.winding import Shells, closed, volumes


def united(vertices: Corners, faces: Faces, shell: Shells) -> tuple[Corners, int] | None:
    """Return the corners of the union, and how many bodies were swallowed; None if none was.

    Solid bodies are added up, cavities taken away; open bodies stay beside the result.
    """
    whole = closed(faces, shell)
    sizes = volumes(vertices[faces], shell)
    low, high = boxes(vertices[faces], shell.of_face, shell.count)
    solids: dict[int, manifold3d.Manifold] = {}
    cavities: dict[int, manifold3d.Manifold] = {}
    beside = []
    for body in range(shell.count):
        mine = faces[shell.of_face == body]
        made = manifold(vertices, mine if sizes[body] > 0 else mine[:, ::-1])
        if not whole[body] or made is None:
            beside.append(vertices[mine])
        elif sizes[body] > 0:
            solids[body] = made
        else:
            cavities[body] = made
    if len(solids) + len(cavities) < 2:
        return None
    apart = sum(one.volume() for one in solids.values())
    for body, cavity in cavities.items():
        around = (low[body] >= low).all(axis=1) & (high[body] <= high).all(axis=1)
        holders = [one for one in solids if around[one] and sizes[one] > -sizes[body]]
        if holders:  # what lies within the cavity again is another body
            holder = min(holders, key=lambda one: float(sizes[one]))
            solids[holder] -= cavity
            apart -= cavity.volume()
    result = manifold3d.Manifold.batch_boolean(list(solids.values()), manifold3d.OpType.Add)
    if result.status() != manifold3d.Error.NoError or result.is_empty():
        return None
    if abs(result.volume() - apart) <= 1e-6 * abs(apart):
        return None  # they only looked as if they overlapped
    merged = max(1, len(solids) + len(cavities) - len(result.decompose()))
    return np.concatenate((corners_of(result), *beside)), merged


def manifold(vertices: Corners, faces: Faces) -> manifold3d.Manifold | None:
    """Return closed triangles as the library has them; None where it can't take them."""
    used, numbers = np.unique(faces, return_inverse=True)
    mesh = manifold3d.Mesh64(
        np.ascontiguousarray(vertices[used], dtype=np.float64),
        np.ascontiguousarray(numbers.reshape(-1, 3), dtype=np.uint64),
    )
    made = manifold3d.Manifold(mesh)
    return made if made.status() == manifold3d.Error.NoError else None


def corners_of(made: manifold3d.Manifold) -> Corners:
    """Return the triangles of what the library made."""
    mesh = made.to_mesh64()
    found: Corners = np.asarray(mesh.vert_properties)[:, :3][
        np.asarray(mesh.tri_verts).astype(np.int64)
    ]
    return found
