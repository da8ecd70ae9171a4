"""TLS and mutual TLS, with certificates that are made here."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from hybrid_mcp.domain.errors import ConfigError
from hybrid_mcp.http.tls import tls_context
from tests.support_http import bearer, new_token, served
from tests.support_servers import NEVER_LONGER_S

pytestmark = pytest.mark.anyio

YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A certificate and its key, in files too."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    cert_file: Path
    key_file: Path


def identity(folder: Path, name: str, signer: Identity | None = None, *, authority: bool = False) -> Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(
            signer.certificate.subject if signer else subject, subject, key.public_key(), x509.random_serial_number()
        )
        .not_valid_before(now - YEAR)
        .not_valid_after(now + YEAR)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(signer.key if signer else key, hashes.SHA256())
    )
    cert_file, key_file = folder / f"{name}.pem", folder / f"{name}.key"
    cert_file.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return Identity(certificate=certificate, key=key, cert_file=cert_file, key_file=key_file)


def trusting(authority: Identity, shown: Identity | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authority.cert_file)
    if shown is not None:
        context.load_cert_chain(shown.cert_file, shown.key_file)
    return context


async def said(url: str, tls: ssl.SSLContext, token: str = "") -> httpx2.Response:
    async with httpx2.AsyncClient(verify=tls, timeout=30, trust_env=False) as http:
        return await http.get(f"{url}/page", headers=bearer(token) if token else {})


async def test_tls_protects_the_connection_and_the_token_is_needed_all_the_same(tmp_path: Path):
    ours, strangers = identity(tmp_path, "ca", authority=True), identity(tmp_path, "strangers", authority=True)
    server, token = identity(tmp_path, "server", ours), new_token(tmp_path)
    async with served(tmp_path, tls_cert=server.cert_file, tls_key=server.key_file) as here:
        assert here.url.startswith("https://")
        assert (await said(here.url, trusting(ours), token)).status_code == 404
        assert (await said(here.url, trusting(ours))).status_code == 401
        with pytest.raises(httpx2.ConnectError):
            await said(here.url, trusting(strangers), token)
        with pytest.raises(httpx2.HTTPError):
            await said(here.url.replace("https", "http"), trusting(ours), token)


async def test_who_connects_and_begins_no_tls_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("hybrid_mcp.http.serving.FIRST_REQUEST_S", 0.02)
    ours = identity(tmp_path, "ca", authority=True)
    server = identity(tmp_path, "server", ours)
    async with served(tmp_path, tls_cert=server.cert_file, tls_key=server.key_file) as here:
        where = urlsplit(here.url)
        async with await anyio.connect_tcp(where.hostname or "", where.port or 0) as connection:
            with anyio.fail_after(NEVER_LONGER_S), pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
                await connection.receive()


async def test_tls_1_2_is_the_oldest_that_is_spoken(tmp_path: Path):
    ours = identity(tmp_path, "ca", authority=True)
    server = identity(tmp_path, "server", ours)
    assert tls_context(server.cert_file, server.key_file).minimum_version == ssl.TLSVersion.TLSv1_2
    client = trusting(ours)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    async with served(tmp_path, tls_cert=server.cert_file, tls_key=server.key_file) as here:
        assert (await said(here.url, client)).status_code == 401


async def test_with_a_client_authority_nobody_connects_without_a_certificate_of_it(tmp_path: Path):
    ours, strangers = identity(tmp_path, "ca", authority=True), identity(tmp_path, "strangers", authority=True)
    server, token = identity(tmp_path, "server", ours), new_token(tmp_path)
    known, unknown = identity(tmp_path, "known", ours), identity(tmp_path, "unknown", strangers)
    async with served(tmp_path, tls_cert=server.cert_file, tls_key=server.key_file, client_ca=ours.cert_file) as here:
        assert (await said(here.url, trusting(ours, known), token)).status_code == 404
        assert (await said(here.url, trusting(ours, known))).status_code == 401
        for shown in (None, unknown):
            with pytest.raises(httpx2.TransportError):
                await said(here.url, trusting(ours, shown), token)


def test_files_that_cannot_be_used_are_told(tmp_path: Path):
    one, two = identity(tmp_path, "one"), identity(tmp_path, "two")
    empty, locked = tmp_path / "empty.pem", tmp_path / "locked.key"
    empty.write_text("")
    locked.write_bytes(
        one.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"SEALED-PASSWORD"))
    )
    for cert, key in (
        (one.cert_file, two.key_file),
        (empty, one.key_file),
        (one.cert_file, empty),
        (one.cert_file, locked),
    ):
        with pytest.raises(ConfigError, match="as PEM files, the key without a password"):
            tls_context(cert, key)
    with pytest.raises(ConfigError, match="No such file"):
        tls_context(tmp_path / "missing.pem", one.key_file)
    with pytest.raises(ConfigError, match="no PEM certificate of an authority"):
        tls_context(one.cert_file, one.key_file, empty)
