"""The key of one customer: seals personal fields and hashes content that holds them.

* A sealed value is nonce (12 random bytes) ‖ ciphertext ‖ tag (16), AES-256-GCM of the UTF-8
  text, with `<event id> NUL <field name>` as associated data: it opens in no other place.
* A content hash is HMAC-SHA-256 under a key derived from the customer's (HKDF, RFC 5869).
* At rest the key is wrapped by the master key in the same form, with `customer-key NUL
  <customer id>` as associated data.
"""

from __future__ import annotations

import hmac
import os
from typing import TYPE_CHECKING, ClassVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

if TYPE_CHECKING:
    from collections.abc import Callable

    Nonce = Callable[[int], bytes]

KEY_BYTES = 32
NONCE_BYTES = 12
_CONTENT_LABEL = b"guanxi content hash v1"


class KeyDestroyedError(Exception):
    """The customer was forgotten: nothing about them can be sealed, opened or compared."""

    code: ClassVar[str] = "key-destroyed"

    def __init__(self, customer_id: str) -> None:
        super().__init__(f"customer {customer_id!r} was forgotten and their key destroyed")
        self.customer_id = customer_id


class SealBrokenError(Exception):
    """A sealed value was changed, or was sealed for another event, field or customer."""

    code: ClassVar[str] = "seal-broken"


class CustomerKey:
    """The key of one customer, or the place where it was. Safe to share between threads."""

    __slots__ = ("_content_key", "_secret", "customer_id")

    def __init__(self, customer_id: str, key: bytes | None) -> None:
        self.customer_id = customer_id
        self._secret = None if key is None else AESGCM(key)
        self._content_key = None if key is None else _content_key_of(key)

    @property
    def destroyed(self) -> bool:
        """Whether the customer was forgotten: every use raises `KeyDestroyedError`."""
        return self._secret is None

    def seal(self, event_id: str, field: str, plaintext: str, nonce: Nonce = os.urandom) -> bytes:
        """Return the sealed value of a field. Raises `KeyDestroyedError`."""
        if self._secret is None:
            raise KeyDestroyedError(self.customer_id)
        return seal(self._secret, plaintext.encode(), _place(event_id, field), nonce)

    def unseal(self, event_id: str, field: str, box: bytes) -> str:
        """Return the text of a sealed value. Raises `KeyDestroyedError`, `SealBrokenError`."""
        if self._secret is None:
            raise KeyDestroyedError(self.customer_id)
        try:
            return unseal(self._secret, box, _place(event_id, field)).decode()
        except InvalidTag as error:
            msg = f"{field} of event {event_id}: not sealed here for {self.customer_id!r}"
            raise SealBrokenError(msg) from error

    def content_hash(self, content: bytes) -> bytes:
        """Return the 32 bytes by which content can be compared. Raises `KeyDestroyedError`."""
        if self._content_key is None:
            raise KeyDestroyedError(self.customer_id)
        return hmac.digest(self._content_key, content, "sha256")


def seal(secret: AESGCM, plaintext: bytes, place: bytes, nonce: Nonce = os.urandom) -> bytes:
    """Return nonce ‖ ciphertext ‖ tag."""
    once = nonce(NONCE_BYTES)
    return once + secret.encrypt(once, plaintext, place)


def unseal(secret: AESGCM, box: bytes, place: bytes) -> bytes:
    """Return the plaintext of nonce ‖ ciphertext ‖ tag. Raises `InvalidTag`."""
    if len(box) < NONCE_BYTES:
        raise InvalidTag
    return secret.decrypt(box[:NONCE_BYTES], box[NONCE_BYTES:], place)


def _place(event_id: str, field: str) -> bytes:
    return f"{event_id}\0{field}".encode()


def _content_key_of(key: bytes) -> bytes:
    return HKDFExpand(SHA256(), KEY_BYTES, _CONTENT_LABEL).derive(key)
