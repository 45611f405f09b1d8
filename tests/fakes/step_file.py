"""A STEP file (ISO 10303-21, AP214) of a box, written out entity by entity."""

_CORNERS = [(n & 1, n >> 1 & 1, n >> 2) for n in range(8)]
_QUADS = ((0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5))


class _Writer:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, entity: str) -> str:
        """Add an entity; return how others name it."""
        self.lines.append(f"#{len(self.lines) + 1}={entity};")
        return f"#{len(self.lines)}"

    def point(self, at: tuple[float, ...]) -> str:
        return self.add("CARTESIAN_POINT('',(" + ",".join(f"{one:.6f}" for one in at) + "))")

    def direction(self, at: tuple[float, ...]) -> str:
        return self.add("DIRECTION('',(" + ",".join(f"{one:.6f}" for one in at) + "))")


def step_box(x: float, y: float, z: float) -> bytes:
    """Return the file of a box in millimetres."""
    out = _Writer()
    at = [(x * i, y * j, z * k) for i, j, k in _CORNERS]
    points = [out.point(one) for one in at]
    faces = []
    for quad in _QUADS:
        loop = out.add(f"POLY_LOOP('',({','.join(points[n] for n in quad)}))")
        bound = out.add(f"FACE_OUTER_BOUND('',{loop},.T.)")
        a, b, c = (at[n] for n in quad[:3])
        u = tuple(q - p for p, q in zip(a, b, strict=True))
        v = tuple(q - p for p, q in zip(b, c, strict=True))
        normal = (u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0])
        place = f"{points[quad[0]]},{out.direction(normal)},{out.direction(u)}"
        axes = out.add(f"AXIS2_PLACEMENT_3D('',{place})")
        plane = out.add(f"PLANE('',{axes})")
        faces.append(out.add(f"FACE_SURFACE('',({bound}),{plane},.T.)"))
    shell = out.add(f"CLOSED_SHELL('',({','.join(faces)}))")
    solid = out.add(f"FACETED_BREP('box',{shell})")
    _product(out, solid)
    head = (
        "ISO-10303-21;\nHEADER;\nFILE_DESCRIPTION((''),'2;1');\n"
        "FILE_NAME('box','2026-01-01T00:00:00',(''),(''),'','','');\n"
        "FILE_SCHEMA(('AUTOMOTIVE_DESIGN'));\nENDSEC;\nDATA;\n"
    )
    return (head + "\n".join(out.lines) + "\nENDSEC;\nEND-ISO-10303-21;\n").encode()


def _product(out: _Writer, solid: str) -> None:
    """Add what makes a solid a thing with units."""
    length = out.add("(LENGTH_UNIT()NAMED_UNIT(*)SI_UNIT(.MILLI.,.METRE.))")
    angle = out.add("(NAMED_UNIT(*)PLANE_ANGLE_UNIT()SI_UNIT($,.RADIAN.))")
    solid_angle = out.add("(NAMED_UNIT(*)SI_UNIT($,.STERADIAN.)SOLID_ANGLE_UNIT())")
    context = out.add(
        "(GEOMETRIC_REPRESENTATION_CONTEXT(3)"
        f"GLOBAL_UNIT_ASSIGNED_CONTEXT(({length},{angle},{solid_angle}))"
        "REPRESENTATION_CONTEXT('',''))"
    )
    shape = out.add(f"FACETED_BREP_SHAPE_REPRESENTATION('',({solid}),{context})")
    application = out.add("APPLICATION_CONTEXT('automotive design')")
    product_context = out.add(f"PRODUCT_CONTEXT('',{application},'mechanical')")
    product = out.add(f"PRODUCT('box','box','',({product_context}))")
    formation = out.add(f"PRODUCT_DEFINITION_FORMATION('','',{product})")
    view = out.add(f"PRODUCT_DEFINITION_CONTEXT('part definition',{application},'design')")
    definition = out.add(f"PRODUCT_DEFINITION('','',{formation},{view})")
    of_shape = out.add(f"PRODUCT_DEFINITION_SHAPE('','',{definition})")
    out.add(f"SHAPE_DEFINITION_REPRESENTATION({of_shape},{shape})")
