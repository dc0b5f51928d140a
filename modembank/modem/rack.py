"""What only shows when all modems of a host are looked at together. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


class HasImei(Protocol):
    """A modem in its place, as far as we look at it here."""

    @property
    def usb_path(self) -> str:
        """Such as `1-1.4.2`."""

    @property
    def imei(self) -> str | None:
        """None when it is not known."""


@dataclass(frozen=True, slots=True)
class DuplicateImei:
    """One IMEI in several places, as cloned sticks have it: networks may serve only one of them at a time."""

    imei: str
    usb_paths: tuple[str, ...]


def find_duplicate_imeis(modems: Iterable[HasImei]) -> tuple[DuplicateImei, ...]:
    """The IMEIs that more than one modem claims, in the order of their first places."""
    places: dict[str, list[str]] = {}
    for info in modems:
        if info.imei is not None:
            places.setdefault(info.imei, []).append(info.usb_path)
    found = (DuplicateImei(imei, tuple(sorted(paths))) for imei, paths in places.items() if len(paths) > 1)
    return tuple(sorted(found, key=lambda one: one.usb_paths))
