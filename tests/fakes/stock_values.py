"""Plain values of the stock, to be varied with `replace`."""

from coordinator.domain.stock import Spool
from tests.fakes.library_values import NOW

SPOOL = Spool(
    spool_id="spool-1",
    material="PLA",
    colour="#d02020",
    vendor="Fillamentum",
    weight_g=1000.0,
    remaining_g=740.5,
    cost=24.9,
    lot="L-17",
    location="shelf 3",
    notes="dry it",
    created_at=NOW,
    updated_at=NOW,
)
