"""PINs at rest: AES-256-GCM, with the card's ICCID as associated data.

A PIN that was copied to another card's row does not open there: it would burn a try. The key file has one key a line,
base64 of 32 random bytes; the first seals, all open. Source: NIST SP 800-38D (nonces of 96 random bits).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from modembank.errors import VaultError

_FORM = "v1"
_KEY_BYTES = 32
_NONCE_BYTES = 12
_OTHERS = 0o007  # what strangers on the machine may do with the file: nothing


class Vault:
    """Seals and opens PINs with the keys of one file, read anew each time, since it may be rotated meanwhile."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def seal(self, secret: str, iccid: str) -> str:
        """Return what may be stored. The key file is made when there is none yet. Raises VaultError."""
        if not self.path.exists():
            self._create([_new_key()])
        key = self._keys()[0]
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = AESGCM(key).encrypt(nonce, secret.encode(), _associated(iccid))
        return f"{_FORM}.{_name(key)}.{base64.b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, iccid: str) -> str:
        """Return the secret. Raises VaultError: no such key, or the value is not this card's or was changed."""
        try:
            form, name, body = sealed.split(".")
            raw = base64.b64decode(body, validate=True)
        except (ValueError, binascii.Error):
            raise VaultError("a stored PIN has no form that is known; set it again") from None
        key = next((key for key in self._keys() if form == _FORM and _name(key) == name), None)
        if key is None:
            raise VaultError(f"the key {name} is not in {self.path}; bring it back, or set the PIN again")
        try:
            return AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _associated(iccid)).decode()
        except (InvalidTag, ValueError):
            raise VaultError("a stored PIN was changed, or belongs to another card; set it again") from None

    def add_key(self) -> None:
        """Put a new key first; the others still open what they sealed. Raises VaultError."""
        self._replace([_new_key(), *(self._keys() if self.path.exists() else [])])

    def drop_old_keys(self) -> int:
        """Forget all keys but the first, once nothing is sealed with them; returns how many. Raises VaultError."""
        keys = self._keys()
        self._replace(keys[:1])
        return len(keys) - 1

    def _keys(self) -> list[bytes]:
        try:
            if self.path.stat().st_mode & _OTHERS:
                raise VaultError(f"everybody may use {self.path}; protect it: chmod 600 {self.path}")
            lines = self.path.read_text().split()
        except OSError as error:
            raise VaultError(f"the keys of the PINs cannot be read: {error.strerror}: {self.path}") from None
        try:
            keys = [base64.b64decode(line, validate=True) for line in lines]
        except binascii.Error:
            keys = []
        if not keys or any(len(key) != _KEY_BYTES for key in keys):
            raise VaultError(f"{self.path} must have one key a line, base64 of 32 bytes")
        return keys

    def _create(self, keys: list[bytes]) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            _write(self.path, keys)
        except FileExistsError:
            return  # somebody else was first
        except OSError as error:
            raise VaultError(f"the keys of the PINs cannot be written: {error.strerror}: {self.path}") from None

    def _replace(self, keys: list[bytes]) -> None:
        """Write a new file and put it in the old one's place: a crash leaves one of them whole."""
        fresh = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            _write(fresh, keys)
            fresh.replace(self.path)
        except OSError as error:
            raise VaultError(f"the keys of the PINs cannot be written: {error.strerror}: {self.path}") from None


def _write(path: Path, keys: list[bytes]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(b"".join(base64.b64encode(key) + b"\n" for key in keys))
        file.flush()
        os.fsync(file.fileno())


def _new_key() -> bytes:
    return AESGCM.generate_key(bit_length=8 * _KEY_BYTES)


def _name(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()[:8]


def _associated(iccid: str) -> bytes:
    return f"modembank sims.pin {iccid}".encode()
