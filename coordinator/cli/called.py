"""How the command was called, so that what it tells people to type works as it stands."""

import os

# The launcher says how it was started: `./farmhand` in a checkout.
CALLED = os.environ.get("FARMHAND_CALLED", "farmhand")
