"""Certificates for servers on the loopback: for a name, valid or expired, signed by themselves. Made by openssl."""

from __future__ import annotations

import shutil
import ssl
import subprocess

OPENSSL = shutil.which("openssl")
_CONFIGURATION = """
[ca]
default_ca = own
[own]
database = index.txt
rand_serial = yes
new_certs_dir = .
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = optional
"""
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "key.pem")


def certificate(folder, name="IP:127.0.0.1", *, begins="20200101000000Z", ends="20991231000000Z"):
    """Make a certificate for *name* in *folder*; return the paths of certificate and key."""
    folder.mkdir()
    (folder / "ca.cnf").write_text(_CONFIGURATION)
    (folder / "index.txt").touch()
    _run(folder, "req", "-new", *_KEY, "-out", "csr.pem", "-subj", "/CN=test", "-addext", f"subjectAltName={name}")
    signing = ("-batch", "-selfsign", "-notext", "-config", "ca.cnf", "-keyfile", "key.pem")
    _run(folder, "ca", *signing, "-in", "csr.pem", "-out", "cert.pem", "-startdate", begins, "-enddate", ends)
    return folder / "cert.pem", folder / "key.pem"


def server_context(cert, key):
    """Return the TLS settings of a server that shows *cert*."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


def _run(folder, *arguments):
    subprocess.run([OPENSSL, *arguments], cwd=folder, check=True, capture_output=True)
