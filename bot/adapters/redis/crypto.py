"""Sealing of records with AES-256-GCM. No Redis in here.

A sealed record is `version | length of the key id | key id | 12-byte nonce | ciphertext and tag`.
The header, the Redis key and the field are authenticated, so that a record can't be moved to
another place or person. Nonces are random: one key is good for 2³² records (NIST SP 800-38D,
8.3), some 700 million turns.
"""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bot.errors import RecordCorrupt, SettingsRejected
from bot.settings.values import KEY_BYTES, read_keys

KEY_FILE = "encryption.key"
VERSION = 1
NONCE_BYTES = 12

log = structlog.get_logger(__name__)


class Sealer:
    """Seals with the first key, opens with any."""

    __slots__ = ("_keys", "_prefix", "_secrets")

    def __init__(self, keys: Sequence[tuple[str, bytes]]) -> None:
        """Take (id, 32 bytes) pairs, newest first."""
        if not keys:
            raise SettingsRejected(["ENCRYPTION_KEYS: needs at least one key"])
        self._keys = {ident.encode(): AESGCM(secret) for ident, secret in keys}
        newest = keys[0][0].encode()
        self._secrets = [secret for _, secret in keys]
        self._prefix = bytes((VERSION, len(newest))) + newest

    def __repr__(self) -> str:
        return f"Sealer({len(self._keys)} keys)"

    def derived(self, purpose: str) -> bytes:
        """Return a key of 32 bytes for another purpose; it changes with the newest key."""
        return self.derivations(purpose)[0]

    def derivations(self, purpose: str) -> list[bytes]:
        """Return that key, and those that it was before, as long as their keys are configured."""
        return [
            HKDF(SHA256(), KEY_BYTES, None, purpose.encode()).derive(secret)
            for secret in self._secrets
        ]

    def seal(self, plain: bytes, key: str, field: str = "") -> bytes:
        """Encrypt for one field of one Redis key."""
        nonce = os.urandom(NONCE_BYTES)
        cipher = self._keys[self._prefix[2:]]
        return self._prefix + nonce + cipher.encrypt(nonce, plain, _about(self._prefix, key, field))

    def open(self, sealed: bytes, key: str, field: str = "") -> bytes:
        """Decrypt.

        Raises:
            RecordCorrupt: unknown key id, a changed record, or one from another place.
        """
        if len(sealed) < 2 or sealed[0] != VERSION:
            raise RecordCorrupt("a stored record is no sealed record")
        start = 2 + sealed[1]
        prefix, nonce = sealed[:start], sealed[start : start + NONCE_BYTES]
        cipher = self._keys.get(prefix[2:])
        if cipher is None:
            raise RecordCorrupt("a stored record was sealed with a key that is not configured")
        try:
            return cipher.decrypt(nonce, sealed[start + NONCE_BYTES :], _about(prefix, key, field))
        except (InvalidTag, ValueError) as error:
            raise RecordCorrupt("a stored record does not match its key or its place") from error

    def open_hash(self, records: Mapping[bytes, bytes], key: str) -> list[tuple[bytes, bytes]]:
        """Decrypt the fields of one Redis key, in their order; leave out what can't be opened.

        A third of the time that `open` takes for each.
        """
        found: list[tuple[bytes, bytes]] = []
        place = b"\0" + key.encode() + b"\0"
        openers = {
            bytes((VERSION, len(ident))) + ident: cipher.decrypt
            for ident, cipher in self._keys.items()
        }
        for field, sealed in records.items():
            start = 2 + sealed[1] if len(sealed) > 1 else 0
            prefix, middle = sealed[:start], start + NONCE_BYTES
            decrypt = openers.get(prefix)
            if decrypt is None:
                continue
            try:
                plain = decrypt(sealed[start:middle], sealed[middle:], prefix + place + field)
            except (InvalidTag, ValueError):
                continue
            found.append((field, plain))
        return found


def _about(prefix: bytes, key: str, field: str) -> bytes:
    return prefix + b"\0" + key.encode() + b"\0" + field.encode()


def open_sealer(configured: str | None, data_dir: Path) -> Sealer:
    """Return the sealer of the setting or, without it, of the key file made in `data_dir`.

    Raises:
        SettingsRejected: the setting, or the file, holds no usable keys.
    """
    path = data_dir / KEY_FILE
    if not configured:
        try:
            if not path.exists():
                _make_key_file(path)
            if path.stat().st_mode & 0o077:
                log.warning("key file was readable by others", path=str(path))
                path.chmod(0o600)
        except OSError as error:
            raise _unusable(path, error) from error
    sealer = read_sealer(configured, data_dir)
    if sealer is None:
        raise SettingsRejected([f"the key file {path} is gone"])
    return sealer


def read_sealer(configured: str | None, data_dir: Path) -> Sealer | None:
    """Return the sealer, or None where the key file is not made yet. Changes nothing.

    Raises:
        SettingsRejected: the setting, or the file, holds no usable keys.
    """
    if configured:
        try:
            return Sealer(read_keys(configured))
        except ValueError as error:
            raise SettingsRejected([f"ENCRYPTION_KEYS: {error}"]) from None
    path = data_dir / KEY_FILE
    try:
        text = path.read_text(encoding="ascii")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(path, error) from error
    try:
        return Sealer(read_keys(text.replace("\n", ",")))
    except ValueError as error:
        raise SettingsRejected(
            [f"the key file {path} holds no usable keys: {error}; restore it from a backup"]
        ) from None


def _unusable(path: Path, error: OSError | UnicodeDecodeError) -> SettingsRejected:
    reason = error.strerror if isinstance(error, OSError) else "not a text file"
    return SettingsRejected([f"DATA_DIR: the key file {path} can't be used: {reason}"])


def _make_key_file(path: Path) -> None:
    """Make the file whole or not at all; of two processes the first one's key counts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    line = f"k{secrets.token_hex(3)}:{base64.b64encode(os.urandom(KEY_BYTES)).decode()}\n"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
        log.warning(
            "key_file_made", path=str(path), advice="back it up, or set ENCRYPTION_KEYS instead"
        )
    finally:
        draft.unlink(missing_ok=True)
