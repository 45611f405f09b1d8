"""What was counted since the start, as lines of metrics."""

from collections.abc import Iterable, Mapping

from coordinator.api.exposition import Exposition, labels
from coordinator.usecases.counted import Counted, Traffic


def tell_counted(page: Exposition, counted: Counted) -> None:
    """Add how long things took on their way to a print, and what was told and used."""
    page.histogram(
        "farmhand_job_wait_seconds",
        "From a job's arrival until its first print began.",
        {(): counted.job_waits},
    )
    page.histogram(
        "farmhand_dispatch_duration_seconds",
        "From a lease until its print began: told, fetched, armed, permitted.",
        {(): counted.dispatches},
    )
    page.histogram(
        "farmhand_slice_duration_seconds",
        "How long slicing a plate took.",
        counted.slicings,
    )
    page.histogram(
        "farmhand_transfer_duration_seconds",
        "How long a plate was on its way to who fetched it.",
        counted.transfers,
    )
    page.counter(
        "farmhand_webhook_deliveries_total",
        "Attempts to tell a webhook.",
        _by("result", counted.deliveries),
    )
    page.counter(
        "farmhand_filament_grams_total",
        "What prints that ended took, by what their plates foretell.",
        (
            (labels(printer=printer, material=material), grams)
            for (printer, material), grams in sorted(counted.grams.items())
        ),
    )


def tell_traffic(page: Exposition, traffic: Traffic) -> None:
    """Add what was said to agents and heard of them."""
    ways = (("received", traffic.received), ("sent", traffic.sent))
    page.counter(
        "farmhand_mqtt_messages_total",
        "Messages between coordinator and agents.",
        (
            (labels(direction=direction, type=kind), float(count))
            for direction, kinds in ways
            for kind, count in sorted(kinds.items())
        ),
    )
    page.counter(
        "farmhand_mqtt_messages_lost_total",
        "Messages that were heard and went no further.",
        _by("reason", traffic.lost),
    )


def _by(label: str, counts: Mapping[str, int]) -> Iterable[tuple[str, float]]:
    return ((labels(**{label: key}), float(count)) for key, count in sorted(counts.items()))
