"""Write the wire schema and the golden payload of every new kind: `python -m tests.golden.renew`.

A golden payload that stands is never changed: old bytes have to decode for ever. A message with
new fields gets one more, named `<kind>-<n>.json`, by hand.
"""

import json
from pathlib import Path

from protocols.wire import codec
from tests.protocols.wire.examples import EXAMPLES

GOLDEN = Path(__file__).parent / "wire_v1"
SCHEMA = Path(codec.__file__).with_name("schema_v1.json")


def main() -> None:
    """Write what is missing."""
    SCHEMA.write_text(json.dumps(codec.schema(), indent=1, sort_keys=True) + "\n")
    for kind, message in EXAMPLES.items():
        path = GOLDEN / f"{kind}.json"
        if not path.exists():
            path.write_bytes(codec.encode(message))


if __name__ == "__main__":
    main()
