"""Rows of generations to values and back; what is nested lies in JSON."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from coordinator.domain.generations import (
    Asked,
    Generation,
    GenerationState,
    Parcel,
    Printing,
    Sheet,
    Trouble,
)
from coordinator.domain.ledger import STEP, Entry
from coordinator.domain.providing import Blame, Handle, Kind

_ASKED = tuple(each.name for each in fields(Asked))
_OWN = ("asked", "handle", "job_ids", "parcels", "remarks", "state", "told", "trouble", "versions")


def row_of(generation: Generation) -> dict[str, Any]:
    """Return a generation's columns."""
    handle, trouble = generation.handle, generation.trouble
    plain: dict[str, Any] = {
        each.name: getattr(generation, each.name)
        for each in fields(Generation)
        if each.name not in _OWN
    }
    own: dict[str, Any] = {
        "state": generation.state.value,
        "asked": _asked_row(generation.asked),
        "task_id": handle.task_id if handle is not None else "",
        "handle": handle and {"task_id": handle.task_id, "extra": dict(handle.extra)},
        "parcels": [_parcel_row(each) for each in generation.parcels],
        "model_id": generation.versions[0][0] if generation.versions else "",
        "versions": [list(each) for each in generation.versions],
        # The first stands by itself for coordinators of an earlier version.
        "job_id": next(iter(generation.job_ids), ""),
        "job_ids": list(generation.job_ids),
        "told": dict(generation.told),
        "remarks": list(generation.remarks),
        "trouble": trouble and {**asdict(trouble), "blame": trouble.blame.value},
    }
    return plain | own


def generation_of(row: Mapping[str, Any]) -> Generation:
    """Return a generation."""
    handle, trouble = row["handle"], row["trouble"]
    own = {
        "state": GenerationState(row["state"]),
        "asked": _asked_of(row["asked"]),
        "handle": Handle(**handle) if handle else None,
        "parcels": tuple(_parcel_of(each) for each in row["parcels"]),
        "versions": tuple((model_id, number) for model_id, number in row["versions"]),
        "job_ids": tuple(row["job_ids"] or filter(None, [row["job_id"]])),
        "told": row["told"],
        "remarks": tuple(row["remarks"]),
        "trouble": (Trouble(**{**trouble, "blame": Blame(trouble["blame"])}) if trouble else None),
    }
    plain = {each.name: row[each.name] for each in fields(Generation) if each.name not in own}
    return Generation(**plain, **own)


def _asked_row(asked: Asked) -> dict[str, Any]:
    return {
        **{name: getattr(asked, name) for name in _ASKED},
        "kind": asked.kind.value,
        "printing": asked.printing and asdict(asked.printing),
        "pictures": [asdict(each) for each in asked.pictures],
        "parameters": dict(asked.parameters),
        "options": dict(asked.options),
        "cost_max": None if asked.cost_max is None else str(asked.cost_max),
    }


def _asked_of(row: Mapping[str, Any]) -> Asked:
    printing, cost_max = row["printing"], row["cost_max"]
    return Asked(
        **{
            **row,
            "kind": Kind(row["kind"]),
            "pictures": tuple(Sheet(**each) for each in row["pictures"]),
            "printing": Printing(**printing) if printing else None,
            "cost_max": None if cost_max is None else Decimal(cost_max),
        }
    )


def _parcel_row(parcel: Parcel) -> dict[str, Any]:
    expires_at = parcel.expires_at
    return {**asdict(parcel), "expires_at": expires_at.isoformat() if expires_at else None}


def _parcel_of(row: Mapping[str, Any]) -> Parcel:
    expires_at = row["expires_at"]
    return Parcel(
        **{**row, "expires_at": datetime.fromisoformat(expires_at) if expires_at else None}
    )


def entry_row(entry: Entry) -> dict[str, Any]:
    """Return a ledger entry's columns."""
    return {
        **asdict(entry),
        "estimated": millionths(entry.estimated),
        "reserved": millionths(entry.reserved),
        "charged": None if entry.charged is None else millionths(entry.charged),
    }


def entry_of(row: Mapping[str, Any]) -> Entry:
    """Return a ledger entry."""
    charged = row["charged"]
    return Entry(
        **{
            **row,
            "estimated": amount(row["estimated"]),
            "reserved": amount(row["reserved"]),
            "charged": None if charged is None else amount(charged),
        }
    )


def millionths(value: Decimal) -> int:
    """Return an amount that is `ledger.rounded` as a whole number."""
    return int(value / STEP)


def amount(value: int) -> Decimal:
    """Return an amount."""
    return Decimal(value) * STEP
