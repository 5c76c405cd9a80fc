"""A real MariaDB for a while: on loopback, in a folder of its own, with the binary log that RDS would have."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql

LOG = ("--log-bin=binlog", "--binlog-format=ROW", "--binlog-row-image=FULL", "--binlog-row-metadata=FULL")
STOP_SECONDS = 30
SAFE = ("--sync-binlog=1", "--innodb-flush-log-at-trx-commit=1")
USERS = (
    "CREATE USER reader@localhost",
    "GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO reader@localhost",
    "CREATE USER writer@localhost",
    "GRANT ALL ON school.* TO writer@localhost",
)
SCORES = (
    "CREATE TABLE school.scores (score_id INT PRIMARY KEY, district_id INT NOT NULL, class_id INT NOT NULL,"
    " student_id INT NOT NULL, points INT NOT NULL, seq INT NOT NULL)"
)


@contextmanager
def monolith(folder: Path) -> Iterator[int]:
    """Its port. As root it runs as the user ``mysql``.

    Raises:
        FileNotFoundError: MariaDB is not installed.
        RuntimeError: It did not start.
    """
    account = _account()
    user = [f"--user={account.pw_name}"]
    data = folder / "data"
    data.mkdir(parents=True)
    if os.getuid() == 0:
        for path in (folder, data):
            os.chown(path, account.pw_uid, account.pw_gid)
    _run("mariadb-install-db", "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal", *user)
    port = _free_port()
    log = (folder / "log").open("wb")
    server = subprocess.Popen(  # noqa: S603 a server of ours
        [
            _found("mariadbd"),
            "--no-defaults",
            f"--datadir={data}",
            f"--socket={folder / 'socket'}",
            f"--port={port}",
            "--bind-address=127.0.0.1",
            "--server-id=1",
            *LOG,
            *SAFE,
            *user,
        ],
        stdout=subprocess.DEVNULL,
        stderr=log,
    )
    log.close()
    try:
        _prepare(folder / "socket", server)
        yield port
    finally:
        server.terminate()
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def connect(port: int) -> pymysql.Connection:
    return pymysql.connect(host="127.0.0.1", port=port, user="writer", database="school")


def _prepare(path: Path, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            connection = pymysql.connect(unix_socket=str(path), user="root", autocommit=True)
            break
        except pymysql.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"MariaDB did not start: {path.parent / 'log'}") from None
            time.sleep(0.1)
    with connection, connection.cursor() as cursor:
        for sql in (*USERS, "CREATE DATABASE school", SCORES):
            cursor.execute(sql)


def _account() -> pwd.struct_passwd:
    return pwd.getpwnam("mysql") if os.getuid() == 0 else pwd.getpwuid(os.getuid())


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _run(program: str, *arguments: str) -> None:
    subprocess.run([_found(program), *arguments], check=True, stdout=subprocess.DEVNULL)  # noqa: S603


def _found(program: str) -> str:
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")
    if path is None:
        raise FileNotFoundError(f"{program} is not installed (Debian: apt-get install mariadb-server).")
    return path
