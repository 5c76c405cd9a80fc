"""A broker that wants a password and TLS, as managed ones do."""

from __future__ import annotations

import shutil
from contextlib import contextmanager

import pytest
import redis
import servers
import trustme
from cli_process import wikiq
from fleet import open_fleet

pytestmark = pytest.mark.timeout(120)
PASSWORD = "n0t-to-be-shown"


@contextmanager
def tls_redis(directory):
    """A redis-server that speaks TLS only and asks for a password; gives its port and its authority's certificate."""
    port, authority = servers.free_port(), trustme.CA()
    certificate = authority.issue_cert("localhost")
    authority.cert_pem.write_to_path(directory / "ca.pem")
    certificate.private_key_pem.write_to_path(directory / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(directory / "cert.pem")
    options = {
        "port": 0,
        "tls-port": port,
        "tls-cert-file": directory / "cert.pem",
        "tls-key-file": directory / "key.pem",
        "tls-ca-cert-file": directory / "ca.pem",
        "tls-auth-clients": "no",
        "requirepass": PASSWORD,
        "save": "",
        "dir": directory,
        "bind": "127.0.0.1",
    }
    command = [servers.program("redis-server"), *(str(part) for key in options for part in (f"--{key}", options[key]))]
    url = f"rediss://:{PASSWORD}@localhost:{port}/0"
    client = redis.Redis.from_url(url, ssl_ca_certs=str(directory / "ca.pem"))
    with servers.running(command, client.ping):
        client.close()
        yield url, directory / "ca.pem"


@pytest.fixture
def served(tmp_path):
    directory = tmp_path / "redis"
    directory.mkdir()
    with tls_redis(directory) as found:
        yield found
    shutil.rmtree(directory)


def test_a_day(served, tmp_path, site, demo):
    """A day is counted through it, and neither the log nor any command shows the password."""
    url, authority = served
    with open_fleet(tmp_path, site, demo, f"{url}?ssl_ca_certs={authority}") as fleet:
        fleet.start("-c", "1")
        done = wikiq(fleet.environment, "enqueue", str(fleet.day), "--wait")
        assert done.code == 0, (done.stderr, fleet.said)
        fleet.check()
        assert PASSWORD not in fleet.said + done.stderr


def test_a_certificate_of_nobody(served, tmp_path, site, demo):
    """A server whose certificate no known authority has signed is not spoken to, unless that was asked for."""
    url, authority = served
    with open_fleet(tmp_path, site, demo, f"{url}?ssl_ca_certs={authority}") as fleet:
        refused = wikiq(fleet.environment | {"WIKIQ_BROKER_URL": url}, "enqueue", str(fleet.day))
        assert (refused.code, refused.stdout) == (1, "")
        assert "certificate verify failed" in refused.stderr
        assert PASSWORD not in refused.stderr
        assert fleet.queued() == 0


def test_a_wrong_password(served, tmp_path, site, demo):
    """A password that the server does not know is not shown either."""
    url, authority = served
    wrong = f"{url.replace(PASSWORD, 'als0-hidden')}?ssl_ca_certs={authority}"
    with open_fleet(tmp_path, site, demo, f"{url}?ssl_ca_certs={authority}") as fleet:
        refused = wikiq(fleet.environment | {"WIKIQ_BROKER_URL": wrong}, "enqueue", str(fleet.day))
        assert (refused.code, "als0-hidden" in refused.stderr) == (1, False)
        assert "WIKIQ_BROKER_URL" in refused.stderr
