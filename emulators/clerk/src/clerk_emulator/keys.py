"""The RSA key that signs sessions, kept in a file so that tokens outlive a restart."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import RSAAlgorithm


class SigningKey:
    """One key at a time: after `rotate` the old one is gone from the JWKS, and its tokens with it."""

    def __init__(self, path: Path) -> None:
        """Read the key at `path`, or make one there that only its owner can read."""
        self._path = path
        self._key = _read(path) if path.exists() else _made(path)

    def rotate(self) -> None:
        """Sign with a new key from now on."""
        self._key = _made(self._path)

    def jwk(self) -> dict[str, Any]:
        """The public half as Clerk lists it."""
        members: dict[str, Any] = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        required = {name: members[name] for name in ("e", "kty", "n")}
        kid = "ins_" + sha256(json.dumps(required, separators=(",", ":")).encode()).hexdigest()[:27]
        return {"use": "sig", "alg": "RS256", "kid": kid, **required}

    def sign(self, claims: dict[str, Any]) -> str:
        """A session token with these claims."""
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self.jwk()["kid"]})


def _read(path: Path) -> RSAPrivateKey:
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError(f"{path} does not hold an RSA key")
    return key


def _made(path: Path) -> RSAPrivateKey:
    key = generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    unfinished = path.with_name(path.name + ".new")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    unfinished.write_bytes(pem)
    unfinished.replace(path)
    return key
