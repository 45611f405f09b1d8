"""Files of models as other programs write them: with textures, in units of their own."""

import io
import zipfile

import numpy as np
import trimesh
from PIL import Image

from tests.fakes.meshes import box


def textured_glb(x: float, y: float, z: float, colour: str) -> bytes:
    """Return a GLB of a box with a picture on it, as generators give them: metres, Y up.

    Args:
        x, y, z: how large it is to be in millimetres, once its Z is up.
        colour: of all of the picture.
    """
    made = trimesh.creation.box((x / 1000, z / 1000, y / 1000))
    picture = Image.new("RGB", (8, 8), colour)
    made.visual = trimesh.visual.TextureVisuals(
        uv=np.full((len(made.vertices), 2), 0.5), image=picture
    )
    return bytes(made.export(file_type="glb"))


def inch_3mf(x: float, y: float, z: float) -> bytes:
    """Return a 3MF (core specification 1.3) of a box with sides in inches."""
    corners = box(x, y, z).reshape(-1, 3)
    places = "".join(f'<vertex x="{a}" y="{b}" z="{c}"/>' for a, b, c in corners)
    faces = "".join(
        f'<triangle v1="{n}" v2="{n + 1}" v3="{n + 2}"/>' for n in range(0, len(corners), 3)
    )
    model = (
        '<?xml version="1.0" encoding="UTF-8"?><model unit="inch" xml:lang="en-US" '
        'xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02"><resources>'
        f'<object id="1" type="model"><mesh><vertices>{places}</vertices>'
        f"<triangles>{faces}</triangles></mesh></object></resources>"
        '<build><item objectid="1"/></build></model>'
    )
    kinds = (
        '<?xml version="1.0" encoding="UTF-8"?><Types '
        'xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="model" '
        'ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/></Types>'
    )
    relations = (
        '<?xml version="1.0" encoding="UTF-8"?><Relationships '
        'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship '
        'Target="/3D/3dmodel.model" Id="rel0" '
        'Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/></Relationships>'
    )
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("[Content_Types].xml", kinds)
        archive.writestr("_rels/.rels", relations)
        archive.writestr("3D/3dmodel.model", model)
    return held.getvalue()
