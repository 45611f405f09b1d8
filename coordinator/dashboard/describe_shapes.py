"""Writes the shapes of the API's answers for the page, in its language; `make shapes` calls it.

What is written is committed, so that the page builds without the coordinator, and a change of the
API shows in review.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from coordinator.api.app import ROUTES
from coordinator.api.openapi import document_of
from coordinator.dashboard.build_page import SOURCE, npm

SHAPES = SOURCE / "source" / "api" / "shapes.d.ts"
_FLAGS = ("--root-types", "--root-types-no-schema-prefix", "--root-types-keep-casing")


def described() -> str:
    """Return the shapes as they are now.

    Raises:
        NotBuilt: there is no node.
    """
    command, _ = npm()
    document = {**document_of(ROUTES, "0"), "paths": {}}
    with tempfile.TemporaryDirectory() as folder:
        asked, told = Path(folder) / "openapi.json", Path(folder) / "shapes.d.ts"
        asked.write_text(json.dumps(document))
        words = ["exec", "--no", "--", "openapi-typescript", str(asked), *_FLAGS, "-o", str(told)]
        subprocess.run([*command, *words], cwd=SOURCE, capture_output=True, check=True)
        return told.read_text()


def main() -> int:
    """Write the shapes where the page has them."""
    SHAPES.write_text(described())
    return 0


if __name__ == "__main__":
    sys.exit(main())
