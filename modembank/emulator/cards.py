"""Sound cards without a kernel module: alsa-lib's own `file` plugin, over ptys.

A host names a card as it would name a real one, `hw:CARD=Android`, and alsa-lib, told by `ALSA_CONFIG_PATH` where its
configuration is, reads and writes that card's pty. What the plugin lacks is a clock, which the emulator gives, and
exclusive use. Source: alsa-lib manual, "PCM plugins" (asym, file, null) and "Arguments".
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from modembank.emulator.audio import CardStream
from modembank.emulator.family import Card
from modembank.emulator.ports import Port, PortHub
from modembank.emulator.settings import PCM_ON_CARD

if TYPE_CHECKING:
    from modembank.emulator.modem import Modem

CONFIG = "asound.conf"

_TEMPLATE = """\
# Cards of an emulator; use it by ALSA_CONFIG_PATH.
pcm.hw {{
    @args [ CARD DEV ]
    @args.CARD {{ type string }}
    @args.DEV {{ type integer default 0 }}
    type asym
    playback.pcm {{
        type file
        slave.pcm {{ type null }}
        file {{ @func concat strings [ "{folder}/" $CARD ] }}
        format raw
    }}
    capture.pcm {{
        type file
        slave.pcm {{ type null }}
        file /dev/null
        infile {{ @func concat strings [ "{folder}/" $CARD ] }}
        format raw
    }}
}}
"""


def write_config(folder: Path) -> Path:
    """Write the configuration whose card NAME is the pty `folder`/NAME, and return where it is."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / CONFIG
    path.write_text(_TEMPLATE.format(folder=folder))
    return path


class Cards:
    """The cards that are plugged in; the kernel gives each an id that no other has."""

    def __init__(self, folder: Path, hub: PortHub) -> None:
        self.folder = folder
        self._hub = hub
        self._ids: dict[int, str] = {}
        write_config(folder)

    def plug_in(self, card: Card, modem: Modem) -> CardUnit:
        """Plug a modem's card in, under the lowest free number."""
        number = next(n for n in range(len(self._ids) + 1) if n not in self._ids)
        name, count = card.id, 0
        while name in self._ids.values():
            count += 1
            name = f"{card.id}_{count}"
        self._ids[number] = name
        return CardUnit(self, number, name, Port(self._hub, self.folder / name, _ignore), modem)

    def free(self, number: int) -> None:
        """The number may be used again."""
        del self._ids[number]


class CardUnit:
    """One plugged-in card: `name` is the kernel's id, `number` that of `/sys/class/sound/cardN`."""

    def __init__(self, cards: Cards, number: int, name: str, port: Port, modem: Modem) -> None:
        self.number, self.name = number, name
        self._cards = cards
        self._port = port
        self._modem = modem
        self._stream = CardStream(port, modem.faults, modem.counters, self._exchange, _ignore)
        modem.start_audio(self._stream)

    @property
    def link(self) -> Path:
        """Where its pty is."""
        return self._port.link

    def unplug(self) -> None:
        """Take it away: reads and writes fail."""
        self._stream.running = False
        self._port.close()
        self._cards.free(self.number)

    def _exchange(self, uplink: bytes) -> bytes:
        """The pins of an analog module always carry voice; a USB audio device does after AT+QPCMV=1,2."""
        modem = self._modem
        card = modem.family.card
        carries = card is None or card.interface is None or modem.volatile.pcm == PCM_ON_CARD
        return modem.voice.exchange(uplink) if carries else bytes(len(uplink))


def _ignore(_: object) -> None:
    """Nothing to be told."""
