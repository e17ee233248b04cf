#!/usr/bin/env python3
"""Verify a certificate of destruction without the enclave.

python3 verify_certificate.py CERTIFICATE.json --key release.pub.pem   (Python 3.11 and `cryptography`)

The file is canonical JSON: what is certified, and the house's signature over it. Exit code 0: verified.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

FORMAT = "destruction-certificate/1"
FIELDS = {
    *("format", "house", "synthetic", "project", "policy", "paragraph", "retention", "decided", "begun", "completed"),
    *("destroyed", "stays", "master_key", "log_head", "statement"),
}


def canonical(value: object) -> bytes:
    """Return the only spelling of a JSON value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def to_sign(certificate: dict[str, Any]) -> bytes:
    """Return what is signed."""
    return b"enclave certificate of destruction 1\n" + canonical(certificate)


def examine(data: bytes, public_key_pem: bytes) -> tuple[list[str], dict[str, Any]]:
    """Return the problems as sentences, none if it verifies, and what is certified."""
    try:
        found = json.loads(data)
        certificate, signature = found["certificate"], bytes.fromhex(found["signature"])
        if set(found) != {"certificate", "signature"} or canonical(found) + b"\n" != data:
            return ["the file is not spelled as a certificate is"], {}
        if certificate["format"] != FORMAT or set(certificate) != FIELDS:
            return [f"this is not a certificate of format {FORMAT}"], {}
        key = load_pem_public_key(public_key_pem)
        if not isinstance(key, Ed25519PublicKey):
            return ["the public key is not an Ed25519 key"], {}
        key.verify(signature, to_sign(certificate))
    except InvalidSignature:
        return ["the signature does not belong to this certificate and this key"], {}
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, UnsupportedAlgorithm) as error:
        return [f"the certificate or the public key is not well-formed: {type(error).__name__}"], {}
    return [], certificate


def summary(certificate: dict[str, Any]) -> str:
    """Say what is certified, in one sentence."""
    policy, by = certificate["policy"], " and ".join(certificate["decided"])
    return (
        f"{certificate['project']} ({policy['decision']}, par. {certificate['paragraph']}) was destroyed; begun "
        f"{certificate['begun']}, completed {certificate['completed']}, decided by {by}"
    )


def main() -> int:
    """Read the command line, verify, and say what was found."""
    parser = argparse.ArgumentParser(description="Verify a certificate of destruction.")
    parser.add_argument("certificate", type=Path)
    parser.add_argument("--key", type=Path, required=True, help="public key of the house, in PEM")
    options = parser.parse_args()
    problems, certificate = examine(options.certificate.read_bytes(), options.key.read_bytes())
    said = "".join(f"PROBLEM {problem}\n" for problem in problems) or f"{summary(certificate)}; verified\n"
    sys.stdout.write(said)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
