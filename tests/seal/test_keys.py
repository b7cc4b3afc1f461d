"""Keys are files that OpenSSL reads and writes; what is none is refused with what to do."""

from __future__ import annotations

import builtins
import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deepenough.errors import OptionError
from deepenough.seal import keys


def test_a_key_is_its_owners_alone_and_never_overwritten(tmp_path: Path) -> None:
    public, fingerprint = keys.generate(tmp_path / "key.pem")
    assert public == tmp_path / "key.pem.pub"
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600
    assert keys.fingerprint(keys.public_key(public)) == fingerprint
    assert keys.fingerprint(keys.private_key(tmp_path / "key.pem").public_key()) == fingerprint
    before = (tmp_path / "key.pem").read_bytes()
    with pytest.raises(OptionError, match="exists already"):
        keys.generate(tmp_path / "key.pem")
    (tmp_path / "key.pem").rename(tmp_path / "kept")
    with pytest.raises(OptionError, match=r"key\.pem\.pub exists already"):
        keys.generate(tmp_path / "key.pem")
    assert (tmp_path / "kept").read_bytes() == before
    with pytest.raises(OptionError, match="can't be written"):
        keys.generate(tmp_path / "nowhere" / "key.pem")


def test_an_encrypted_key_needs_its_passphrase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(keys.PASSPHRASE, "correct horse")
    keys.generate(tmp_path / "key.pem")
    assert b"ENCRYPTED" in (tmp_path / "key.pem").read_bytes()
    keys.private_key(tmp_path / "key.pem")
    monkeypatch.setenv(keys.PASSPHRASE, "wrong")
    with pytest.raises(OptionError, match="is not its passphrase"):
        keys.private_key(tmp_path / "key.pem")
    monkeypatch.delenv(keys.PASSPHRASE)
    with pytest.raises(OptionError, match=f"set {keys.PASSPHRASE}"):
        keys.private_key(tmp_path / "key.pem")


def test_a_passphrase_does_not_shut_an_open_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys.generate(tmp_path / "key.pem")
    monkeypatch.setenv(keys.PASSPHRASE, "of another key")
    keys.private_key(tmp_path / "key.pem")


def test_what_is_no_key_is_refused(tmp_path: Path) -> None:
    keys.generate(tmp_path / "key.pem")
    (tmp_path / "text").write_text("no key")
    with pytest.raises(OptionError, match="no private key"):
        keys.private_key(tmp_path / "text")
    with pytest.raises(OptionError, match="no private key"):
        keys.private_key(tmp_path / "key.pem.pub")
    with pytest.raises(OptionError, match=r"no public key.*-pubout"):
        keys.public_key(tmp_path / "key.pem")
    with pytest.raises(OptionError, match="can't be read"):
        keys.public_key(tmp_path / "absent")


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization as forms
    from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey

    other, plain = Ed448PrivateKey.generate(), forms.NoEncryption()
    (tmp_path / "other").write_bytes(other.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, plain))
    public = other.public_key().public_bytes(forms.Encoding.PEM, forms.PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "other.pub").write_bytes(public)
    with pytest.raises(OptionError, match="an Ed25519 key is expected"):
        keys.private_key(tmp_path / "other")
    with pytest.raises(OptionError, match="an Ed25519 key is expected"):
        keys.public_key(tmp_path / "other.pub")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_keys_of_openssl_sign_and_its_tools_agree(tmp_path: Path) -> None:
    def openssl(*arguments: str) -> bytes:
        return subprocess.run(["openssl", *arguments], cwd=tmp_path, check=True, capture_output=True).stdout

    openssl("genpkey", "-algorithm", "ed25519", "-out", "key.pem")
    openssl("pkey", "-in", "key.pem", "-pubout", "-out", "key.pem.pub")
    signature = keys.sign(keys.private_key(tmp_path / "key.pem"), b"the verdict")
    assert keys.refused(signature, b"the verdict", keys.public_key(tmp_path / "key.pem.pub")) == ""
    (tmp_path / "der").write_bytes(openssl("pkey", "-pubin", "-in", "key.pem.pub", "-outform", "DER"))
    assert openssl("dgst", "-sha256", "-r", "der").decode().split()[0] == signature["fingerprint"]


def test_a_signature_of_something_else_or_by_another_is_refused(tmp_path: Path) -> None:
    keys.generate(tmp_path / "one")
    other, _ = keys.generate(tmp_path / "two")
    signature = keys.sign(keys.private_key(tmp_path / "one"), b"content")
    assert keys.refused(signature, b"content") == ""
    assert "altered" in keys.refused(signature, b"contents")
    assert "not by the one that was given" in keys.refused(signature, b"content", keys.public_key(other))
    assert "fingerprint" in keys.refused(signature | {"fingerprint": "0" * 64}, b"content")
    assert "known here" in keys.refused(signature | {"algorithm": "none"}, b"content")
    assert "known here" in keys.refused({"algorithm": keys.ALGORITHM}, b"content")
    assert "altered" in keys.refused(signature | {"value": 7}, b"content")


def test_the_same_signature_spelt_otherwise_is_refused(tmp_path: Path) -> None:
    """The last letter before the padding holds bits that decoding throws away."""
    keys.generate(tmp_path / "key")
    signature = keys.sign(keys.private_key(tmp_path / "key"), b"content")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = signature["value"][-3]
    spelt = signature["value"][:-3] + alphabet[alphabet.index(last) ^ 1] + "=="
    assert "altered" in keys.refused(signature | {"value": spelt}, b"content")


def test_without_the_library_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def absent(name: str, *arguments: Any, **named: Any) -> Any:
        if name.split(".")[0] == "cryptography":
            raise ImportError(name)
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", absent)
    for use in (keys.private_key, keys.public_key, keys.generate):
        with pytest.raises(OptionError, match=r"pip install 'deepenough\[sign\]'"):
            use(tmp_path / "key.pem")
    assert os.listdir(tmp_path) == []
