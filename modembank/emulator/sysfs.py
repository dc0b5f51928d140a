"""A fake `/sys` and `/dev`: where Linux shows USB serial ports.

Every bus has two root ports with a tree of seven-port hubs, 98 modems a bus, so that no bus holds
more than 127 devices (USB 2.0 section 4.6.1); further modems stand behind further host controllers.
Source: Linux Documentation/ABI/testing/sysfs-bus-usb, drivers/usb/serial/bus.c; USB class codes.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from modembank.emulator.family import Family, UsbIdentity

HUB_PORTS = 7
MODEMS_PER_ROOT_PORT = HUB_PORTS * HUB_PORTS
MODEMS_PER_BUS = 2 * MODEMS_PER_ROOT_PORT
SERIAL_DEVICES = "bus/usb-serial/devices"
TTY_CLASS = "class/tty"
USB_DEVICES = "bus/usb/devices"
SOUND_CLASS = "class/sound"
CDC_ACM = "ttyACM"
AUTHORIZED = "authorized"

# bInterfaceClass, bInterfaceSubClass, bInterfaceProtocol.
VENDOR_CLASS = ("ff", "ff", "ff")
CDC_ACM_CLASS = ("02", "02", "01")
AUDIO_CLASS = ("01", "01", "00")
STORAGE_CLASS = ("08", "06", "50")
"""SCSI over bulk transport: what a stick's CD-ROM with drivers shows."""


@dataclass(frozen=True, slots=True)
class UsbPlace:
    """Where a modem is plugged in: `devpath` e.g. `1.4.2`, `name` e.g. `1-1.4.2`."""

    bus: int
    devpath: str

    @property
    def name(self) -> str:
        """Return the kernel's name of the device at this place."""
        return f"{self.bus}-{self.devpath}"


def place_of(index: int) -> UsbPlace:
    """Return the place of modem `index`."""
    bus, within = divmod(index, MODEMS_PER_BUS)
    root, within = divmod(within, MODEMS_PER_ROOT_PORT)
    hub, port = divmod(within, HUB_PORTS)
    return UsbPlace(bus + 1, f"{root + 1}.{hub + 1}.{port + 1}")


class SysTree:
    """The tree under `sys/` and the free numbers of `ttyUSBn`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._taken: dict[str, set[int]] = {}
        self._devnums: dict[int, int] = {}
        for name in (SERIAL_DEVICES, TTY_CLASS, USB_DEVICES, SOUND_CLASS, "devices"):
            (root / name).mkdir(parents=True)

    def take_numbers(self, tty: str, count: int, avoid: set[int]) -> list[int]:
        """Return the lowest free numbers of `ttyUSBn` or `ttyACMn`, none of those in `avoid`."""
        used = self._taken.setdefault(tty, set())
        numbers: list[int] = []
        candidate = 0
        while len(numbers) < count:
            if candidate not in used and candidate not in avoid:
                numbers.append(candidate)
            candidate += 1
        used.update(numbers)
        return numbers

    def add(self, place: UsbPlace, family: Family, numbers: dict[int, int]) -> None:
        """Show a modem; `numbers` maps interface to n of `ttyUSBn`."""
        device = self._add_device(place, family, _usb_of(family).product_id)
        for interface, number in sorted(numbers.items()):
            self._add_port(device, interface, f"{family.tty}{number}")

    def add_storage(self, place: UsbPlace, family: Family) -> None:
        """Show a modem that is a CD-ROM as yet."""
        device = self._add_device(place, family, _usb_of(family).storage_id)
        self._add_interface(device, 0, STORAGE_CLASS)

    def add_logged_off(self, place: UsbPlace, family: Family) -> None:
        """Show a modem that was logged off the bus: it is there, without interfaces."""
        (self._add_device(place, family, _usb_of(family).product_id) / AUTHORIZED).write_text("0\n")

    def authorized(self, place: UsbPlace) -> Path:
        """Return the file that logs a device that is shown off the bus and on again."""
        return self._device_path(place) / AUTHORIZED

    def port_switch(self, place: UsbPlace) -> Path:
        """Return the file that switches the power of a place off (1) and on (0); it outlives the device."""
        self._add_hubs(place)
        device = self._device_path(place)
        hub, port = device.parent, place.devpath.rpartition(".")[2]
        folder = hub / f"{hub.name}:1.0" / f"{hub.name}-port{port}"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "disable"
        if not file.exists():
            file.write_text("0\n")
        return file

    def remove(self, place: UsbPlace, tty: str, numbers: dict[int, int]) -> None:
        """Show a modem no longer and free its numbers."""
        for number in numbers.values():
            for folder in (SERIAL_DEVICES, TTY_CLASS):
                (self._root / folder / f"{tty}{number}").unlink(missing_ok=True)
            self._taken[tty].discard(number)
        (self._root / USB_DEVICES / place.name).unlink(missing_ok=True)
        shutil.rmtree(self._device_path(place), ignore_errors=True)

    def _add_device(self, place: UsbPlace, family: Family, product_id: str) -> Path:
        device = self._device_path(place)
        self._add_hubs(place)
        usb = _usb_of(family)
        facts = {"idVendor": usb.vendor_id, "idProduct": product_id}
        facts |= {AUTHORIZED: "1", "manufacturer": usb.manufacturer, "product": usb.product, "serial": usb.serial}
        self._write_device(device, place, facts)
        return device

    def add_card(self, place: UsbPlace, interface: int, number: int, name: str) -> None:
        """Show the sound card of a modem's own audio interface. Source: Linux sound/core/init.c (id, number)."""
        path = self._add_interface(self._device_path(place), interface, AUDIO_CLASS)
        card = path / "sound" / f"card{number}"
        card.mkdir(parents=True)
        (card / "id").write_text(f"{name}\n")
        (card / "number").write_text(f"{number}\n")
        (card / "device").symlink_to("../..")
        self._link(Path(SOUND_CLASS), card)

    def remove_card(self, number: int) -> None:
        """Show it no longer; its folder goes with the device's."""
        (self._root / SOUND_CLASS / f"card{number}").unlink(missing_ok=True)

    def _device_path(self, place: UsbPlace) -> Path:
        path = self._root / f"devices/pci0000:00/0000:00:{0x14 + place.bus - 1:02x}.0/usb{place.bus}"
        ports = place.devpath.split(".")
        for depth in range(1, len(ports) + 1):
            path /= f"{place.bus}-{'.'.join(ports[:depth])}"
        return path

    def _add_hubs(self, place: UsbPlace) -> None:
        ports = place.devpath.split(".")
        root = UsbPlace(place.bus, "0")
        path = self._device_path(UsbPlace(place.bus, ports[0])).parent
        hub = {"idVendor": "1d6b", "idProduct": "0002", "bDeviceClass": "09", "maxchild": "2"}
        if not (path / "idVendor").exists():
            self._write_device(path, root, hub | {"product": "xHCI Host Controller"})
        hub |= {"idVendor": "0424", "idProduct": "2517", "maxchild": str(HUB_PORTS), "product": "USB 2.0 Hub"}
        for depth in range(1, len(ports)):
            above = UsbPlace(place.bus, ".".join(ports[:depth]))
            path = self._device_path(above)
            if not path.exists():
                self._write_device(path, above, hub)

    def _write_device(self, path: Path, place: UsbPlace, facts: dict[str, str]) -> None:
        self._devnums[place.bus] = self._devnums.get(place.bus, 0) % 127 + 1
        path.mkdir(parents=True, exist_ok=True)
        numbers = {"busnum": str(place.bus), "devnum": str(self._devnums[place.bus]), "devpath": place.devpath}
        for key, value in (facts | numbers).items():
            (path / key).write_text(f"{value}\n")
        self._link(Path(USB_DEVICES), path)

    def _add_interface(self, device: Path, interface: int, kind: tuple[str, str, str]) -> Path:
        path = device / f"{device.name}:1.{interface}"
        path.mkdir()
        names = ("bInterfaceClass", "bInterfaceSubClass", "bInterfaceProtocol")
        for name, value in zip(names, kind, strict=True):
            (path / name).write_text(f"{value}\n")
        (path / "bInterfaceNumber").write_text(f"{interface:02x}\n")
        return path

    def _add_port(self, device: Path, interface: int, tty: str) -> None:
        in_class = tty.startswith(CDC_ACM)
        path = self._add_interface(device, interface, CDC_ACM_CLASS if in_class else VENDOR_CLASS)
        port = path / "tty" / tty if in_class else path / tty
        port.mkdir(parents=True)
        if in_class:
            (port / "device").symlink_to("../..")
        self._link(Path(TTY_CLASS if in_class else SERIAL_DEVICES), port)

    def _link(self, folder: Path, target: Path) -> None:
        up = "../" * len(folder.parts)
        (self._root / folder / target.name).symlink_to(up + str(target.relative_to(self._root)))


def _usb_of(family: Family) -> UsbIdentity:
    assert family.usb is not None, "a module on a serial port is not shown on the bus"
    return family.usb
