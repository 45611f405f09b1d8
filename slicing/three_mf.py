"""A mesh as 3MF: one object in millimetres, with who made it; equal meshes give equal bytes.

The 3MF core specification 1.3: a zip with a list of types, a relation to the model, and the model
as XML. Coordinates are written as single precision has them, which is what slicers reckon with.
"""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from slicing.topology import Corners, proper, weld

_TYPES = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="model" '
    'ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/></Types>'
)
_RELATIONS = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Target="/3D/3dmodel.model" Id="rel0" '
    'Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/></Relationships>'
)
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<model unit="millimeter" xml:lang="en-US" '
    'xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02">\n'
)
# The earliest date that a zip can hold: no clock goes into the bytes.
_DATE = (1980, 1, 1, 0, 0, 0)
_VALUE_CHARACTERS_MAX = 2000


def write(corners: Corners, path: Path, metadata: Mapping[str, str]) -> None:
    """Write a mesh.

    Args:
        corners: shape (n, 3, 3), in mm.
        metadata: names of the specification (`Title`, `Designer`, `LicenseTerms` ...) and what they
            hold; empty ones are left out.
    """
    vertices, faces = weld(corners)
    faces = faces[proper(faces)]
    words = "".join(
        f"<metadata name={quoteattr(name)}>{escape(said)}</metadata>\n"
        for name, value in metadata.items()
        if (said := _plain(value))
    )
    rows = vertices.astype(np.float32).astype("U").tolist()
    points = "\n".join([f'<vertex x="{x}" y="{y}" z="{z}"/>' for x, y, z in rows])
    sides = "\n".join([f'<triangle v1="{a}" v2="{b}" v3="{c}"/>' for a, b, c in faces.tolist()])
    model = (
        f'{_HEAD}{words}<resources><object id="1" type="model"><mesh><vertices>\n{points}\n'
        f"</vertices><triangles>\n{sides}\n</triangles></mesh></object></resources>\n"
        '<build><item objectid="1"/></build></model>\n'
    )
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in (
            ("[Content_Types].xml", _TYPES),
            ("_rels/.rels", _RELATIONS),
            ("3D/3dmodel.model", model),
        ):
            member = zipfile.ZipInfo(name, _DATE)
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, text, compresslevel=4)


def _plain(value: str) -> str:
    """Return a text on one line, without what XML can't hold."""
    return " ".join(
        "".join(one if one.isprintable() else " " for one in value[:_VALUE_CHARACTERS_MAX]).split()
    )
