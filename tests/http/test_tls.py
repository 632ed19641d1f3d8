"""Certificates are verified, always; and nothing falls back to plain HTTP."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from contextlib import closing

import pytest

from fixtures.faults import FaultServer, answer
from target_decisioning.http import HttpRequest, Transport, TransportError

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="needs openssl to make certificates")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Make a certificate for a name, signed by itself; give the paths of certificate and key."""

    def make(name):
        folder = tmp_path_factory.mktemp("tls")
        subprocess.run(
            [
                *(OPENSSL, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
                *("-keyout", "key.pem", "-out", "cert.pem", "-days", "2"),
                *("-subj", "/CN=test", "-addext", f"subjectAltName={name}"),
            ],
            cwd=folder,
            check=True,
            capture_output=True,
        )
        return folder / "cert.pem", folder / "key.pem"

    return make


def server_context(cert, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


def send(url, **options):
    with closing(Transport(**options)) as transport:
        return transport.send(HttpRequest("GET", url), total_seconds=5)


def test_a_server_whose_certificate_is_in_the_bundle_is_spoken_to(certificate):
    cert, key = certificate("IP:127.0.0.1")
    with FaultServer(answer(body=b"secret"), tls=server_context(cert, key)) as server:
        got = send(server.url, ca_bundle=str(cert))
    assert got.body == b"secret"
    assert got.timing["tls"] > 0


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate):
    cert, key = certificate("IP:127.0.0.1")
    with FaultServer(answer(), tls=server_context(cert, key)) as server, pytest.raises(TransportError) as caught:
        send(server.url)
    assert (caught.value.reason, caught.value.was_sent) == ("tls", False)
    assert server.requests == []


def test_a_certificate_for_another_name_is_refused(certificate):
    cert, key = certificate("DNS:other.example")
    with FaultServer(answer(), tls=server_context(cert, key)) as server, pytest.raises(TransportError) as caught:
        send(server.url, ca_bundle=str(cert))
    assert caught.value.reason == "tls"


def test_a_server_that_speaks_no_tls_is_refused():
    with FaultServer(answer()) as server, pytest.raises(TransportError) as caught:
        send(server.url.replace("http:", "https:"))
    assert caught.value.reason == "tls"
    assert not caught.value.was_sent


def test_a_client_certificate_is_shown(certificate):
    cert, key = certificate("IP:127.0.0.1")
    context = server_context(cert, key)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cert)
    with FaultServer(answer(body=b"known"), tls=context) as server:
        assert send(server.url, ca_bundle=str(cert), client_cert=(str(cert), str(key))).body == b"known"
