"""Makes a conversation with a modem fit to be given away, so that it still parses; pure.

Numbers, IMEI, IMSI and ICCID become others of the same form, the same one each time: of a number that was dialled and
that stands in +CLCC the reader still sees that it is one. Texts of messages and USSD, names, PINs, pressed digits and
where the modem is, go. Whoever wants to hide more than that edits the file; nothing here can be turned back.
Source: 3GPP TS 23.040 sections 9.1.2.5 and 9.2.2 to 9.2.3; TS 27.007; ITU-T E.118 (ICCID); the numbers are Ofcom's for
drama, 3GPP TS 23.003 test network 001-01.
"""

from __future__ import annotations

import re

_NUMBERS = 1000  # +447700900000 to 999; a conversation of a thousand lines has fewer
_FIRST = 500  # apart from those that our emulator gives to its modems and parties
_SHORT = 6  # a service number of fewer digits is nobody's own
_PDU = re.compile(r"(?:[0-9A-Fa-f]{2}){11,}")
_PIN = re.compile(r"(?<=CPIN=|PIN2=|CPWD=|CLCK=|SPIC=).*", re.IGNORECASE)
_CELL = re.compile(r'(?<=")[0-9A-Fa-f]{2,8}(?=")')
_REGISTRATION = re.compile(r"\+C(?:G|E|5G)?REG:")
_PRESSED = re.compile(r'((?:\+VTS="?|\^DTMF=\d+,|\+RXDTMF: ?|\+DTMF: ?|\^DDTMF: ?)"?)[0-9A-D*#]', re.IGNORECASE)
_TONE = re.compile(r"(\+QTONEDET: ?)\d+")
_USSD = re.compile(r"^(?:AT)?\+CUSD[:=]", re.IGNORECASE)
_DIALLED = re.compile(r"^(AT(?:.*;)?D)([^;]*)(;?)$", re.IGNORECASE)
# Lines whose texts in quotes are numbers or names of people.
_PEOPLE = (
    "+CPBR:",
    "+CPBF:",
    "+CNUM:",
    "ERROR+CNUM:",
    "+CLIP:",
    "+CCWA:",
    "+CLCC:",
    "+COLP:",
    "+CSCA:",
    "+CCFC:",
    "^DSCI:",
    "+CMGR:",
    "+CMGL:",
    "+CMT:",
)
# Lines that tell where the modem is: by satellite, or by the cells around it.
_PLACES = (
    "+QENG:",
    "+CPSI:",
    "+QGPSLOC:",
    "+CGPSINFO:",
    "+CGNSINF:",
    "+CGNSSINFO:",
    "+CLBS:",
    "^MONSC:",
    "^MONNC:",
    "$G",
)
_FIGURE = re.compile(r"(?<![0-9A-Za-z])(?=[A-Fa-f]*[0-9])[0-9A-Fa-f]+(?=[NSEWnsew]?(?![0-9A-Za-z]))")
_PEOPLE_QIND = '+QIND: "ccinfo"'
_PLAIN_NETWORK = ("+COPS:", "+QNWINFO:", "+QSPN:")  # their digits are the network's
_FACTS = re.compile(
    r"(?<![0-9A-Za-z])(?:(?P<swapped>98[0-9A-Fa-f]{16,18})|(?P<number>\+?[0-9]{7,}[Ff]?))(?![0-9A-Za-z])"
)
_PERSONAL = re.compile(rf'"(?P<quoted>[^"]*)"|{_FACTS.pattern}')
_IMEI_STARTS = ("01", "35", "86", "91", "98", "99")
_GSM7_FILL, _OCTET_FILL, _UCS2_FILL = b"\x00", b"x", b"\x00x"


class Redactor:
    """For one conversation: what is the same in it stays the same."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], int] = {}

    def line(self, text: str) -> str:
        """Return a line, command or answer, as it may be given away."""
        if _USSD.match(text):
            return self._ussd(text)
        head, newline, rest = text.partition("\n")
        if newline:
            return self._line(head) + newline + "\n".join(self._continued(one) for one in rest.split("\n"))
        return self._line(text)

    def number(self, number: str) -> str:
        """Return the number that stands for this one, written in the same way: with `+`, national, or bare."""
        digits = number.removeprefix("+")
        if not digits.isdigit() or len(digits) < _SHORT:
            return number
        local = f"7700900{(_FIRST + self._count('number', digits[-9:])) % _NUMBERS:03d}"
        if number.startswith("+"):
            return f"+44{local}"
        return f"0{local}" if digits.startswith("0") else f"44{local}"

    def _line(self, text: str) -> str:
        if _PDU.fullmatch(text):
            return self._pdu(text)
        if dialled := _DIALLED.match(text):
            return self._line(dialled[1]) + self._dialled(dialled[2]) + dialled[3] if dialled[2] else text
        text = _PIN.sub(lambda found: re.sub(r"(?<=\")\d{4,8}(?=\")|^\d{4,8}", "0000", found[0]), text)
        if _REGISTRATION.match(text):
            return _CELL.sub(lambda found: "1".zfill(len(found[0])), text)
        if text.startswith(_PLACES):
            return _FIGURE.sub(lambda found: "0" * len(found[0]), text)
        if text.startswith(_PLAIN_NETWORK):
            return text
        text = _TONE.sub(r"\g<1>49", _PRESSED.sub(r"\g<1>1", text))
        if text.startswith((*_PEOPLE, _PEOPLE_QIND)):
            return _PERSONAL.sub(self._fact, text)
        return _FACTS.sub(self._fact, text)

    def _continued(self, text: str) -> str:
        """What belongs to the line before it: a message, or more of a USSD text."""
        return self._pdu(text) if _PDU.fullmatch(text) else re.sub(r"[^\"\s]", "x", text)

    def _count(self, kind: str, what: str) -> int:
        return self._known.setdefault((kind, what), sum(1 for known, _ in self._known if known == kind))

    def _dialled(self, text: str) -> str:
        modifiers = text.lstrip("+0123456789")
        return self.number(text.removesuffix(modifiers)) + re.sub(r"\d", "0", modifiers)

    def _person(self, text: str) -> str:
        if text == "ccinfo" or not text:
            return text
        plain = _from_ucs2(text)
        if plain is not None and plain.lstrip("+").isdigit():
            return self.number(plain).encode("utf-16-be").hex().upper()
        return self.number(text) if text.lstrip("+").isdigit() else "x" * len(text)

    def _fact(self, found: re.Match[str]) -> str:
        facts = found.groupdict()
        if facts.get("quoted") is not None:
            return f'"{self._person(facts["quoted"])}"'
        if facts["swapped"]:
            return _swap(self._iccid(_swap(facts["swapped"])))
        digits = facts["number"]
        bare = digits.rstrip("Ff")
        if bare.startswith("89") and len(bare) in range(18, 21):
            return self._iccid(digits)
        return self._identity(bare) if len(bare) in {15, 16} and bare.isdigit() else self.number(bare)

    def _identity(self, digits: str) -> str:
        if digits.startswith(_IMEI_STARTS):
            return f"35000000{self._count('imei', digits):06d}".ljust(len(digits), "0")
        return f"00101{self._count('imsi', digits):010d}".ljust(len(digits), "0")

    def _iccid(self, text: str) -> str:
        digits = text.rstrip("Ff")
        return f"8944{self._count('iccid', digits):0{len(digits) - 4}d}" + text[len(digits) :]

    def _ussd(self, text: str) -> str:
        """The string between the first quote and the last; what it was written in stays recognisable."""
        start, end = text.find('"'), text.rfind('"')
        if start < 0:
            return text
        end = end if end > start else len(text)
        return text[: start + 1] + _filled_text(text[start + 1 : end]) + text[end:]

    def _pdu(self, text: str) -> str:
        data = bytearray.fromhex(text)
        try:
            self._fill_pdu(data)
        except IndexError:  # not a message that we understand: nothing of it stays
            data = bytearray(len(data))
        return data.hex().upper()

    def _fill_pdu(self, data: bytearray) -> None:
        """Mask a PDU in place, so that every length in it and before it stays right. Raises IndexError."""
        if data[0] > 1:
            self._fill_address(data, 1, (data[0] - 1) * 2)
        at = 1 + data[0]
        first = data[at]
        kind = first & 0x03
        at += 1 if kind == 0 else 2  # DELIVER has no reference
        digits = data[at]
        self._fill_address(data, at + 1, digits)
        at += 2 + (digits + 1) // 2
        if kind == 2:  # STATUS-REPORT: times and a status
            return
        dcs = data[at + 1]
        at += 2 + (7 if kind == 0 else {0: 0, 2: 1}.get(first >> 3 & 0x03, 7))
        at += 1
        if first & 0x40:
            at += 1 + data[at]
        fill = _fill_of(dcs)
        room = len(data) - at
        data[at:] = (fill * (room // len(fill) + 1))[:room]

    def _fill_address(self, data: bytearray, at: int, digits: int) -> None:
        """Write another number of as many digits behind the type octet at `at`; a name becomes nothing."""
        kind, octets = data[at], (digits + 1) // 2
        old = data[at + 1 : at + 1 + octets]
        if len(old) < octets:
            raise IndexError
        if kind & 0x70 == 0x50:  # alphanumeric
            data[at + 1 : at + 1 + octets] = bytes(octets)
            return
        number = _swap(old.hex())[:digits]
        other = self.number("+" + number.rstrip("fF")).removeprefix("+")
        told = other[-digits:].rjust(digits, "0") + ("F" if digits % 2 else "")
        data[at + 1 : at + 1 + octets] = bytes.fromhex(_swap(told))


def _fill_of(dcs: int) -> bytes:
    """What a text of this coding is overwritten with. Source: 3GPP TS 23.038 section 4."""
    general = dcs & 0xC0 in {0x00, 0x40}
    wide = (general and dcs & 0x0C == 0x08) or dcs & 0xF0 == 0xE0
    octets = (general and dcs & 0x0C == 0x04) or dcs & 0xF4 == 0xF4
    return _UCS2_FILL if wide else _OCTET_FILL if octets else _GSM7_FILL


def _filled_text(text: str) -> str:
    """Another string of the same length, in the same one of the ways that USSD strings are written in."""
    if _from_ucs2(text) is not None:
        return "0078" * (len(text) // 4)
    if len(text) % 2 == 0 and re.fullmatch(r"[0-9A-Fa-f]+", text):
        return "00" * (len(text) // 2)
    return re.sub(r"[^\s]", "x", text)


def _from_ucs2(text: str) -> str | None:
    """The characters of a string of UCS2 in hexadecimal, None when it is none."""
    if not text or len(text) % 4 or not re.fullmatch(r"[0-9A-Fa-f]+", text):
        return None
    if text.isdigit() and not text.startswith("00"):  # a number
        return None
    try:
        plain = bytes.fromhex(text).decode("utf-16-be")
    except UnicodeDecodeError:
        return None
    return plain if all(char.isprintable() or char in "\r\n" for char in plain) else None


def _swap(text: str) -> str:
    """Swap the characters of each pair: semi-octets stand so in PDUs and in EF ICCID."""
    return "".join(text[at + 1 : at + 2] + text[at] for at in range(0, len(text), 2))
