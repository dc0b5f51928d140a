"""Which hub has failed when modems go away together; pure.

A hub without power takes all its modems within milliseconds. That is one failure of one device, so that it is told
once. Source: reliability sheet, fault 14.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from modembank.tty.discovery import is_on_usb

_USB_PLACE = re.compile(r"\d+-\d+(\.\d+)*")
FEWEST = 3  # two sticks may be unplugged by one hand
MOST = 0.8  # of a hub's modems; some hubs keep a port alive


@dataclass(frozen=True, slots=True)
class HubLoss:
    """A hub, by its USB path, and its modems that went."""

    hub: str
    modems: tuple[str, ...]


def find_hub_losses(gone: Collection[str], known: Collection[str]) -> tuple[HubLoss, ...]:
    """Return the failed hubs: of two that explain the same loss the lower one, else the higher one.

    Args:
        gone: USB paths that went away within a short time.
        known: all USB paths from before, `gone` included.
    """
    losses: list[HubLoss] = []
    explained: set[str] = set()
    lost = {hub: _below(hub, gone) for hub in {hub for path in gone for hub in hubs_of(path)}}
    for hub in sorted(lost, key=lambda one: (-len(lost[one]), -one.count("."), one)):
        here = lost[hub]
        if here - explained and len(here) >= FEWEST and len(here) >= MOST * len(_below(hub, known)):
            losses.append(HubLoss(hub, tuple(sorted(here))))
            explained |= here
    return tuple(losses)


def _below(hub: str, paths: Collection[str]) -> set[str]:
    return {path for path in paths if hub in hubs_of(path)}


def hubs_of(usb_path: str) -> tuple[str, ...]:
    """The hubs above a device, the highest first: `1-1` and `1-1.4` for `1-1.4.2`. A root hub is not among them, and a
    serial port stands behind none.
    """
    if not _USB_PLACE.fullmatch(usb_path):
        return ()
    if not is_on_usb(usb_path):
        return ()
    bus, _, ports = usb_path.partition("-")
    parts = ports.split(".")
    return tuple(f"{bus}-{'.'.join(parts[:depth])}" for depth in range(1, len(parts)))
