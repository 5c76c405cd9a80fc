"""Against a real nginx that holds the limits of Wikimedia's dumps site."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
import servers
from cli_process import environment, wikiq
from conftest import FIRST_DAY

CONFIGURATION = """
daemon off;
pid {run}/pid;
error_log stderr warn;
events {{ worker_connections 64; }}
http {{
  log_format facts '$request_method $status $request_uri "$http_user_agent"';
  access_log {run}/access.log facts;
  client_body_temp_path {run}/body; proxy_temp_path {run}/proxy; fastcgi_temp_path {run}/fastcgi;
  uwsgi_temp_path {run}/uwsgi; scgi_temp_path {run}/scgi;
  limit_conn_zone $remote_addr zone=address:1m;
  map $http_user_agent $generic {{ default 0; "" 1; "~*^(python-requests|curl|wget)/" 1; }}
  server {{
    listen 127.0.0.1:{port};
    root {root};
    autoindex on;
    limit_conn address 3;
    limit_rate 20k;  # slow enough that transfers overlap
    if ($generic) {{ return 403; }}
  }}
}}
"""


@contextmanager
def nginx(root: Path, run: Path) -> Iterator[str]:
    """Serve a folder: three connections per address, everyone else gets 503."""
    program, port = servers.program("nginx"), servers.free_port()
    run.mkdir()
    (run / "nginx.conf").write_text(CONFIGURATION.format(run=run, port=port, root=root))
    for parent in (run, *root.parents, root):
        if parent.is_relative_to("/tmp") and parent != Path("/tmp"):
            parent.chmod(0o755)  # nginx' workers are another user where it is started by root
    process = subprocess.Popen([program, "-c", str(run / "nginx.conf"), "-e", "stderr"], stderr=subprocess.DEVNULL)
    try:
        _wait_for(f"http://127.0.0.1:{port}/", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            requests.get(url, timeout=1)
        except requests.ConnectionError:
            assert process.poll() is None, "nginx did not start"
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


def test_a_day_within_three_connections(demo_directory: Path, tmp_path: Path) -> None:
    """A day is counted without a single refusal: never more than three connections, and a proper User-Agent."""
    with nginx(demo_directory, tmp_path / "nginx") as url:
        done = wikiq(environment(tmp_path, WIKIQ_SOURCE=url), "enqueue", str(FIRST_DAY))
        assert done.code == 0, done.stderr
    # The first request is the fixture's own.
    asked = [line.split(" ", 3) for line in (tmp_path / "nginx" / "access.log").read_text().splitlines()]
    assert sum(method == "GET" and "/pageviews-" in path for method, _, path, _ in asked) == 24
    assert {status for _, status, path, _ in asked if "/pageviews-" in path} == {"200"}
    assert all(agent.startswith('"wikiq/') and "tests@localhost" in agent for *_, agent in asked[1:])
