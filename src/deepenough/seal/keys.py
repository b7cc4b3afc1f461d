"""Keys and signatures: Ed25519 (RFC 8032, 2017), by the package cryptography, in the files that OpenSSL writes.

Needs that this module answers:

* No cryptography of our own: keys are PEM files, made by `openssl genpkey -algorithm ed25519` or `deepenough keygen`.
* A private key is readable by its owner alone, is never overwritten, and never copied into a run.
* A signature can be written in one way only: another spelling of the same bytes is refused, so that no byte of it can
  be altered unseen.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepenough.errors import OptionError
from deepenough.seal.hashing import sha256

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ALGORITHM = "ed25519"
PASSPHRASE = "DEEPENOUGH_KEY_PASSPHRASE"
"""The environment variable that holds the passphrase of an encrypted key."""
INSTALL = "pip install 'deepenough[sign]'"
_MAKE_ONE = "Make one with `deepenough keygen key.pem`."


def is_installed() -> bool:
    """Whether the package that signs and checks is here."""
    try:
        import cryptography  # noqa: F401  asked is only whether it is there
    except ImportError:
        return False
    return True


def _require_installed() -> None:
    if not is_installed():
        raise OptionError(f"Keys and signatures need the package cryptography, which is not here: {INSTALL}.")


def private_key(path: str | Path) -> Ed25519PrivateKey:
    """The private key of a PEM file; an encrypted one is opened with the passphrase in the environment.

    Raises OptionError where the file can't be read, is no such key, or the passphrase is not its own.
    """
    _require_installed()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    content = _content(path)
    is_encrypted = b"ENCRYPTED" in content
    if is_encrypted and not _passphrase():
        raise OptionError(f"{path} is encrypted: set {PASSPHRASE} to its passphrase in the environment.")
    try:
        key = load_pem_private_key(content, _passphrase() if is_encrypted else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        why = f", or {PASSPHRASE} is not its passphrase" if is_encrypted else ""
        raise OptionError(f"{path} is no private key in PEM form{why}. {_MAKE_ONE}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise OptionError(f"{path} is a {type(key).__name__}; an Ed25519 key is expected. {_MAKE_ONE}")
    return key


def public_key(path: str | Path) -> Ed25519PublicKey:
    """The public key of a PEM file. Raises OptionError where the file can't be read or is no such key."""
    _require_installed()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    content = _content(path)
    try:
        key = load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm) as error:
        hint = "From a private key it is written by `openssl pkey -in key.pem -pubout -out key.pem.pub`."
        raise OptionError(f"{path} is no public key in PEM form. {hint}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise OptionError(f"{path} is a {type(key).__name__}; an Ed25519 key is expected. {_MAKE_ONE}")
    return key


def _content(path: str | Path) -> bytes:
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        raise OptionError(f"The key {path} can't be read ({error.strerror}). {_MAKE_ONE}") from error


def _passphrase() -> bytes:
    return os.environ.get(PASSPHRASE, "").encode()


def generate(path: str | Path) -> tuple[Path, str]:
    """Write a new private key, and its public key beside it as `<name>.pub`; returns the latter's path and fingerprint.

    It is encrypted where the environment holds a passphrase. Raises OptionError where either file exists already.
    """
    _require_installed()
    from cryptography.hazmat.primitives import serialization as forms
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Path(path).expanduser()
    public = private.with_name(private.name + ".pub")
    for place in (private, public):
        if place.exists() or place.is_symlink():
            raise OptionError(f"{place} exists already, and a key is never overwritten. Name another file.")
    key, word = Ed25519PrivateKey.generate(), _passphrase()
    locked = forms.BestAvailableEncryption(word) if word else forms.NoEncryption()
    _write_new(private, key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, locked), 0o600)
    form = (forms.Encoding.PEM, forms.PublicFormat.SubjectPublicKeyInfo)
    _write_new(public, key.public_key().public_bytes(*form), 0o644)
    return public, fingerprint(key.public_key())


def _write_new(path: Path, content: bytes, mode: int) -> None:
    """Write a file that must not be there yet, with these rights from its first byte on."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except OSError as error:
        raise OptionError(f"{path} can't be written ({error.strerror}). Name another file.") from error
    with open(handle, "wb") as file:
        file.write(content)


def fingerprint(key: Ed25519PublicKey) -> str:
    """SHA-256 of the key's DER form; `openssl pkey -pubin -in key.pem.pub -outform DER | sha256sum` gives the same."""
    from cryptography.hazmat.primitives import serialization as forms

    return sha256(key.public_bytes(forms.Encoding.DER, forms.PublicFormat.SubjectPublicKeyInfo))


def sign(key: Ed25519PrivateKey, message: bytes) -> dict[str, str]:
    """The signature as the seal holds it, with the public key in base64 and its fingerprint."""
    public = key.public_key()
    return {
        "algorithm": ALGORITHM,
        "fingerprint": fingerprint(public),
        "public_key": base64.b64encode(public.public_bytes_raw()).decode("ascii"),
        "value": base64.b64encode(key.sign(message)).decode("ascii"),
    }


def refused(signature: Mapping[str, Any], message: bytes, expected: Ed25519PublicKey | None = None) -> str:
    """Why a signature of a message is not to be believed; empty where it is.

    expected: whose signature it must be; None: of the key that it names itself.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if set(signature) != {"algorithm", "fingerprint", "public_key", "value"} or signature["algorithm"] != ALGORITHM:
        return f"it is not a signature of the form that is known here ({ALGORITHM})"
    try:
        key = Ed25519PublicKey.from_public_bytes(_decoded(signature["public_key"]))
        key.verify(_decoded(signature["value"]), message)
    except InvalidSignature:
        return "it does not belong to this content: one of both was altered"
    except (ValueError, TypeError):
        return "its key or its value was altered"
    if signature["fingerprint"] != fingerprint(key):
        return "its fingerprint is not that of its key"
    if expected is not None and fingerprint(expected) != fingerprint(key):
        return f"it is by the key {fingerprint(key)[:16]}, not by the one that was given ({fingerprint(expected)[:16]})"
    return ""


def _decoded(text: Any) -> bytes:
    """Bytes from base64, written as we would write them: the last letter has bits that other writers may set."""
    content = base64.b64decode(text, validate=True)
    if base64.b64encode(content).decode("ascii") != text:
        raise binascii.Error("another spelling of the same bytes")
    return content
