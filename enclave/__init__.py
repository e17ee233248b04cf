"""Secure on-premise enclave workbench: linked social-security data in, checked statistics out."""

__version__ = "0.1.0"
