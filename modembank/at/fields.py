"""Information text into fields. Source: ITU-T V.250 section 5.4.2 (numeric and string constants)."""

from __future__ import annotations

from modembank.errors import AtSyntaxError


def read_fields(line: str, prefix: str) -> tuple[str, ...]:
    """Split what follows `prefix`; quotes are removed and protect commas. Raises AtSyntaxError."""
    if not line.startswith(prefix):
        raise AtSyntaxError(f"not a {prefix} line")
    fields: list[str] = []
    current: list[str] = []
    quoted = False
    for char in line[len(prefix) :].strip():
        if char == '"':
            quoted = not quoted
        elif char == "," and not quoted:
            fields.append("".join(current).strip())
            current = []
        else:
            current.append(char)
    if quoted:
        raise AtSyntaxError(f"a quote stays open in a {prefix} line")
    fields.append("".join(current).strip())
    return tuple(fields)


def read_number(fields: tuple[str, ...], place: int) -> int:
    """The decimal number at `place`. Raises AtSyntaxError."""
    number = read_optional(fields, place)
    if number is None:
        raise AtSyntaxError(f"field {place + 1} of an AT answer is missing or no number")
    return number


def read_optional(fields: tuple[str, ...], place: int) -> int | None:
    """The decimal number at `place`, or None where it is missing, empty or something else."""
    if place >= len(fields):
        return None
    text = fields[place]
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdecimal() and len(digits) <= 10 else None


def read_text(fields: tuple[str, ...], place: int) -> str | None:
    """The text at `place`, or None where it is missing or empty."""
    return fields[place] or None if place < len(fields) else None
