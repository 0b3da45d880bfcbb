"""How deliveries are signed (platform §9.2)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

SECRET = "webhooks"
"""Under what name the installation keeps its key."""

_BITS = 2048
_HEADER = {"alg": "RS256"}


def make_key() -> bytes:
    """A fresh private key, as it is kept."""
    return _kept(rsa.generate_private_key(public_exponent=65537, key_size=_BITS))


def read_key(text: str) -> bytes:
    """A private key as it is kept, of its PEM text in Base64. Raises `ValueError` saying what is wrong, and not what was given."""
    try:
        loaded = serialization.load_pem_private_key(base64.b64decode(text), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("it is no private key as PEM in Base64, without a passphrase") from None
    if not isinstance(loaded, rsa.RSAPrivateKey):
        raise ValueError("it is no RSA key")
    return _kept(loaded)


def _kept(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def sign_hmac(body: bytes, key: str) -> str:
    """Base64 of the HMAC-SHA256 over the body.

    >>> sign_hmac(b"{}", "key")
    'p3dyTZQ+tI3Gm8qKSm1XoE2z+ex+HeTlgehgJlvfMDI='
    """
    return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()


class JwtSigner:
    """Signs with the installation's key; `issuer` is the API's address as it was configured."""

    def __init__(self, key: bytes, issuer: str) -> None:
        # Whoever kept it has made it or read it whole: proving once more that its primes are some takes longer than all else here.
        loaded = serialization.load_der_private_key(key, password=None, unsafe_skip_rsa_key_validation=True)
        assert isinstance(loaded, rsa.RSAPrivateKey)
        self._key, self._issuer = loaded, issuer

    def sign(self, body: bytes) -> str:
        """A JWT with the body as its data."""
        claims = {"data": body.decode(), "iss": self._issuer}
        told = f"{_part(_HEADER)}.{_part(claims)}"
        signature = self._key.sign(told.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{told}.{_url_base64(signature)}"

    def public_key(self) -> str:
        """What receivers check with: the PEM text in Base64, in lines of 60 that end with a line feed."""
        pem = self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        encoded = base64.b64encode(pem).decode()
        return "".join(f"{encoded[start : start + 60]}\n" for start in range(0, len(encoded), 60))


def _part(claims: dict[str, str]) -> str:
    return _url_base64(json.dumps(claims, separators=(",", ":"), ensure_ascii=False).encode())


def _url_base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
