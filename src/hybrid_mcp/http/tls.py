"""The server's side of TLS, from files of the owner."""

from __future__ import annotations

import ssl
from pathlib import Path

from hybrid_mcp.config.text_file import named, unusable, wrong
from hybrid_mcp.domain.errors import ConfigError


def tls_context(cert: Path, key: Path, client_ca: Path | None = None) -> ssl.SSLContext:
    """TLS 1.2 or newer; with `client_ca` only for clients with a certificate that it signed.

    Raises:
        ConfigError: a file cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    for file in filter(None, (cert, key, client_ca)):
        _refuse_unreadable(file)
    try:
        context.load_cert_chain(cert, key, password=_nobody_to_ask)
    except (ssl.SSLError, ConfigError):
        raise wrong(
            cert, None, "", f"is no PEM certificate chain for the key in {named(key)}, or that key needs a password: "
            "give both as PEM files, the key without a password"
        ) from None  # fmt: skip
    if client_ca is not None:
        try:
            context.load_verify_locations(client_ca)
        except ssl.SSLError:
            raise wrong(client_ca, None, "", "holds no PEM certificate of an authority; give --client-ca one") from None
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _refuse_unreadable(file: Path) -> None:
    try:
        with file.open("rb"):
            pass
    except (OSError, ValueError) as error:
        raise unusable(file, error) from None


def _nobody_to_ask() -> str:
    """In place of OpenSSL's question on the terminal."""
    raise ConfigError("the key needs a password")
