"""Code becomes geometry: OpenSCAD and CAD Python, in the sandbox."""
