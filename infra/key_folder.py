"""The folder of the master key and the signing key: mode 0700, made once by `guanxi init`.

`master.key` is 32 random bytes; it wraps every customer's data key. `signing.key` is an Ed25519
private key (PKCS 8, PEM), which signs checkpoints. Both have mode 0600. Lose the master key, and
no personal field can be read again: back the folder up, apart from the ledger.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MASTER_KEY_FILE = "master.key"
MASTER_KEY_BYTES = 32
SIGNING_KEY_FILE = "signing.key"
_OTHERS = 0o077  # the permissions nobody but the owner may have


class KeysError(Exception):
    """The keys cannot be used; the message says what to do."""

    code: ClassVar[str] = "keys"


class KeysMissingError(KeysError):
    """The folder or one of its files is not there."""

    code = "keys-missing"


class KeysModeError(KeysError):
    """Others than the owner may read the keys."""

    code = "keys-mode"


class KeysDamagedError(KeysError):
    """A file of the folder holds no key."""

    code = "keys-damaged"


class KeysMismatchError(KeysError):
    """The master key is not the one that the ledger was made with."""

    code = "keys-mismatch"


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one ledger. Never printed."""

    master: bytes = field(repr=False)
    signing: Ed25519PrivateKey = field(repr=False)


def make_keys(folder: Path) -> Keys:
    """Make the folder and what is missing in it; a key that is there is never overwritten.

    Raises `KeysModeError` and `KeysDamagedError` for what was there before.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    signing = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write_once(folder / MASTER_KEY_FILE, os.urandom(MASTER_KEY_BYTES))
    _write_once(folder / SIGNING_KEY_FILE, signing)
    return read_keys(folder)


def read_keys(folder: Path) -> Keys:
    """Return the keys of a folder.

    Raises `KeysMissingError`, `KeysModeError`, `KeysDamagedError`.
    """
    _check_mode(folder, "700")
    master = _read(folder / MASTER_KEY_FILE)
    if len(master) != MASTER_KEY_BYTES:
        msg = f"{folder / MASTER_KEY_FILE} is not a key of 32 bytes: restore it from its backup"
        raise KeysDamagedError(msg)
    try:
        signing = serialization.load_pem_private_key(_read(folder / SIGNING_KEY_FILE), None)
    except (ValueError, TypeError):
        signing = None
    if not isinstance(signing, Ed25519PrivateKey):
        msg = f"{folder / SIGNING_KEY_FILE} is not an Ed25519 key: restore it from its backup"
        raise KeysDamagedError(msg)
    return Keys(master, signing)


def _read(path: Path) -> bytes:
    _check_mode(path, "600")
    return path.read_bytes()


def _check_mode(path: Path, wanted: str) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        msg = f"{path} is missing: name the folder of keys, or run `guanxi init` for a new ledger"
        raise KeysMissingError(msg) from error
    if mode & _OTHERS:
        msg = f"{path} can be used by others than its owner: chmod {wanted} {path}"
        raise KeysModeError(msg)


def _write_once(path: Path, content: bytes) -> None:
    """Write a whole file or none, in mode 0600; the first of two writers wins."""
    handle, draft = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        Path(draft).unlink()
