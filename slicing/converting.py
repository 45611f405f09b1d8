"""Any model as an STL, just as it is: the request `convert`, for who reads nothing else.

Nothing is mended, turned or made coarser: whoever gets it is to see what is wrong with it.
"""

from slicing import stl
from slicing.geometry import load_source
from slicing.request import ConvertRequest
from slicing.results import ConvertResult
from slicing.workspace import unwritable, workspace


def convert(request: ConvertRequest) -> ConvertResult:
    """Write a model as a binary STL, in millimetres with Z up.

    Raises:
        ModelError: there is no mesh in the file; of which kind, errors.py tells.
        OutputUnwritable: disk full, no such folder, no permission.
    """
    mesh = load_source(request, request.limits)
    output = request.output_path
    try:
        with workspace(output.parent) as folder:
            made = folder / output.name
            stl.write(mesh.corners, made)
            made.replace(output)
    except OSError as error:
        raise unwritable(error, output) from error
    return ConvertResult(output_path=str(output), format=mesh.format, triangles=mesh.triangles)
