"""The certificate of the front: given, or made here; looked at before anything starts."""

from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from enclave.errors import SetupError

DAYS = 397
SOON = timedelta(days=14)


def make(address: str, now: datetime) -> tuple[bytes, bytes]:
    """Return a certificate for this address, signed by its own key, and the key, both as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "enclave workbench, made-up data")])
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address)), x509.DNSName("localhost")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    certificate = (
        builder.serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    plain = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(encoding), plain


def check(certificate: bytes, key: bytes, now: datetime) -> str:
    """Return a warning where it ends soon, else nothing; SetupError where it cannot be used now."""
    try:
        found = x509.load_pem_x509_certificate(certificate)
        private = serialization.load_pem_private_key(key, password=None)
    except (ValueError, TypeError) as error:
        raise SetupError("CERTIFICATE", "certificate or key is not PEM; name the right files under tls") from error
    if found.public_key() != private.public_key():
        raise SetupError("CERTIFICATE_KEY", "the key is not that of the certificate; name the right files under tls")
    if now >= found.not_valid_after_utc:
        raise SetupError(
            "CERTIFICATE_EXPIRED",
            f"the certificate ended on {found.not_valid_after_utc:%Y-%m-%d}, and browsers refuse it now; put a new one "
            "in its place, or let the workbench make its own: tls: {certificate: made, key: made} in workbench.yaml",
        )
    if now < found.not_valid_before_utc:
        raise SetupError(
            "CERTIFICATE_EARLY",
            f"the certificate holds from {found.not_valid_before_utc:%Y-%m-%d} on; see whether this machine's clock is "
            "right, else name another certificate under tls in workbench.yaml",
        )
    if now + SOON >= found.not_valid_after_utc:
        return f"the certificate ends on {found.not_valid_after_utc:%Y-%m-%d}; order a new one now"
    return ""


def is_for(certificate: bytes, address: str) -> bool:
    """Say whether a certificate names this address."""
    names = x509.load_pem_x509_certificate(certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return ip_address(address) in names.value.get_values_for_type(x509.IPAddress)


def fingerprint(certificate: bytes) -> str:
    """Return the SHA-256 that browsers show of a certificate."""
    digest = x509.load_pem_x509_certificate(certificate).fingerprint(hashes.SHA256()).hex().upper()
    return ":".join(digest[place : place + 2] for place in range(0, len(digest), 2))
