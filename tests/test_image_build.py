"""The image, really built, twice: `make image-check`. It needs buildah, root, the base image, PyPI and some minutes.

==================== ==========================================================================================
WIKIQ_TEST_BUILDAH   the command, like ``buildah``; without it nothing here runs
WIKIQ_TEST_BUILD     more options for ``buildah build``, like ``--secret id=pip.conf,src=/etc/pip.conf``
==================== ==========================================================================================
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from oci_layout import Entry, Image, read_image

ROOT = Path(__file__).parent.parent
BUILDAH = shlex.split(os.environ.get("WIKIQ_TEST_BUILDAH", ""))
OPTIONS = shlex.split(os.environ.get("WIKIQ_TEST_BUILD", ""))
WHEN = 1_700_000_000
SITE_PACKAGES = r"/opt/wikiq/lib/python3\.\d+/site-packages"
UNCHECKED = (1).to_bytes(4, "little")

pytestmark = [
    pytest.mark.skipif(not BUILDAH, reason="WIKIQ_TEST_BUILDAH names no buildah: make image-check"),
    pytest.mark.timeout(1800),
]


def _buildah(*arguments: str | Path) -> str:
    done = subprocess.run([*BUILDAH, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


def _build(checkout: Path, directory: Path) -> tuple[str, Image]:
    name = f"localhost/wikiq-test:{os.getpid()}-{checkout.name}"
    options = ["--isolation", "chroot", "--layers", "--no-cache", "--timestamp", str(WHEN), *OPTIONS]
    _buildah("build", *options, "--build-arg", "REVISION=0123abcd", "--tag", name, checkout)
    _buildah("push", "--quiet", name, f"oci:{directory / checkout.name}-layout:image")
    return name, read_image(directory / f"{checkout.name}-layout")


def _check_out(directory: Path) -> Path:
    directory.mkdir()
    for source in ROOT.iterdir():
        if source.is_dir() and source.name in {"cli", "models", "worker"}:
            shutil.copytree(source, directory / source.name, ignore=shutil.ignore_patterns("__pycache__"))
        # In a worktree .git is a file.
        elif source.is_file() and source.name != ".git":
            shutil.copy2(source, directory)
    return directory


def _make_a_mess(checkout: Path) -> None:
    """Everything that may differ between two checkouts of one commit: modes, times, and what lies about."""
    for path in checkout.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
        os.utime(path, (1, 1))
    for junk in ("cli/__pycache__/main.cpython-313.pyc", "worker/.env", "models/wikiq.sqlite-wal", ".git/HEAD", "x.py"):
        (checkout / junk).parent.mkdir(exist_ok=True)
        (checkout / junk).write_bytes(b"junk")


@dataclass(frozen=True, slots=True)
class Twice:
    names: tuple[str, str]
    first: Image
    second: Image


@pytest.fixture(scope="module")
def twice(tmp_path_factory):
    """The image of this checkout, built from two copies of it, without any cache."""
    directory = tmp_path_factory.mktemp("image")
    tidy, messy = _check_out(directory / "tidy"), _check_out(directory / "messy")
    _make_a_mess(messy)
    (first_name, first), (second_name, second) = _build(tidy, directory), _build(messy, directory)
    yield Twice((first_name, second_name), first, second)
    # One image may bear both names.
    subprocess.run([*BUILDAH, "rmi", "--force", first_name, second_name], capture_output=True, check=False)


@pytest.fixture(scope="module")
def tree(twice) -> dict[str, Entry]:
    return twice.first.tree()


@pytest.fixture
def root(twice):
    """The directory of the image's root, mounted for as long as the test runs."""
    container = _buildah("from", twice.names[0])
    try:
        yield Path(_buildah("mount", container))
    finally:
        _buildah("rm", container)


def _run(root: Path, *arguments: str, writable: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run wikiq on a root that is read-only, as the image's user, without any variable of this machine's."""
    mounts = ["mount --bind $0 $0", "mount -o remount,bind,ro $0", "mount --bind /dev $0/dev"]
    mounts += [f"mount -t tmpfs -o mode=1777 none $0{place}" for place in writable]
    clean = "env -i PATH=/opt/wikiq/bin WIKIQ_DATA_DIR=/data HOME=/ PYTHONSAFEPATH=1"
    script = f'{" && ".join(mounts)} && exec {clean} {shutil.which("chroot")} --userspec=65532:65532 "$0" "$@"'
    command = ["unshare", "--mount", "sh", "-c", script, str(root), "/opt/wikiq/bin/wikiq", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_two_builds_are_one_image(twice):
    """Neither the time, nor the modes of the checkout, nor what else lies in it changes a byte."""
    for number, (first, second) in enumerate(zip(twice.first.layers, twice.second.layers, strict=True)):
        assert {path for path in first | second if first.get(path) != second.get(path)} == set(), number
    assert twice.first.config == twice.second.config
    assert twice.first.digest == twice.second.digest


def test_every_module_has_bytecode_that_is_not_checked(tree):
    """No start compiles anything, and none looks at its source: bit 0 says hash, bit 1 would say check (PEP 552)."""
    places = re.compile(rf"({SITE_PACKAGES}|/usr/local/lib/python3\.\d+)/.*\.py")
    left_out = re.compile(r"/usr/local/lib/python3\.\d+/(idlelib|tkinter|turtledemo)/")
    modules = [path for path, entry in tree.items() if entry.is_file and places.fullmatch(path)]
    modules = [path for path in modules if not left_out.match(path)]
    assert len(modules) > 2000
    compiled = {_source(path): entry.start for path, entry in tree.items() if path.endswith(".pyc")}
    assert [path for path in modules if path not in compiled] == []
    assert {start[4:8] for path, start in compiled.items() if path in modules} == {UNCHECKED}


def _source(bytecode: str) -> str:
    return re.sub(r"/__pycache__/([^/]+)\.cpython-\d+\.pyc$", r"/\1.py", bytecode)


def test_no_tool_of_the_build_is_left(tree):
    """Neither pip nor a compiler, nor a cache, nor the tests of packages."""
    tools = r"/(usr/|usr/local/|opt/wikiq/)?s?bin/(pip.*|hatchling|g?cc.*|make)"
    libraries = r".*/python3\.\d+/(ensurepip|site-packages/(pip|hatchling)(-[^/]*)?)(/.*)?"
    assert [path for path in tree if re.fullmatch(f"{tools}|{libraries}|/etc/pip\\.conf", path)] == []
    assert [path for path in tree if re.match(r"/(root/\.cache|build|dependencies|application)", path)] == []
    assert [path for path in tree if re.fullmatch(rf"{SITE_PACKAGES}(/.*)?/tests", path)] == []


def test_the_application_is_a_layer_of_its_own(twice):
    """An upgrade brings the packages of the wheel and its metadata; nothing of the checkout is there by chance."""
    ours = re.compile(
        rf"/opt/wikiq/bin/wikiq|{SITE_PACKAGES}/((cli|models|worker)/.*\.(py|pyc|typed|mako)|wikiq-[^/]+\.dist-info/.*)"
    )
    files = [path for path, entry in twice.first.layers[-1].items() if entry.is_file]
    assert [path for path in files if not ours.fullmatch(path)] == []
    sources = {
        str(path.relative_to(ROOT)) for name in ("cli", "models", "worker") for path in (ROOT / name).rglob("*.py")
    }
    assert {re.sub(rf"{SITE_PACKAGES}/", "", path) for path in files if path.endswith(".py")} == sources


def test_the_user_can_write_its_data_and_nothing_else(twice, tree):
    """Everything that the build added belongs to root and is closed to others, but for the data directory."""
    base = len(twice.first.layers) - 3
    added = {path: tree[path] for layer in twice.first.layers[base:] for path in layer if path in tree}
    assert added["/data"].owner == (65532, 65532)
    assert {entry.owner for path, entry in added.items() if path != "/data"} == {(0, 0)}
    loose = [path for path, entry in added.items() if entry.mode & 0o022 and entry.kind != b"2"]
    assert loose == []


def test_the_configuration_is_what_the_dockerfile_says(twice):
    """User, entry point, signal and labels arrive in the image; the environment holds nothing of the build's."""
    config = twice.first.config["config"]
    assert (config["User"], config["Entrypoint"], config["Cmd"]) == ("65532:65532", ["wikiq"], ["--help"])
    assert (config["StopSignal"], config["WorkingDir"]) == ("SIGTERM", "/data")
    assert config["Labels"]["org.opencontainers.image.revision"] == "0123abcd"
    assert [line for line in config["Env"] if re.match(r"(PIP|UV|HTTPS?|NO)_", line)] == []


def test_it_says_its_version_on_a_root_without_a_writable_place(root):
    """A probe needs nothing to be writable."""
    found = _run(root, "--version")
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert (found.stdout, found.stderr, found.returncode) == (f"wikiq {version}\n", "", 0)


def test_the_demo_runs_on_a_read_only_root(root):
    """The whole pipeline needs no more than a writable /tmp, and its answers are whole."""
    found = _run(root, "demo", "--quiet", writable=("/tmp",))
    assert found.returncode == 0, found.stderr
    assert "en.wikipedia · 2024-01-01" in found.stdout
    assert "complete" in found.stdout.splitlines()[0]


def test_bytecode_is_for_the_python_of_the_image(twice, root):
    """Its magic number is that of the base's interpreter, so it is used."""
    command = [
        "chroot",
        str(root),
        "/opt/wikiq/bin/python",
        "-c",
        "import importlib.util as u; print(u.MAGIC_NUMBER.hex())",
    ]
    magic = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    starts = {entry.start[:4].hex() for path, entry in twice.first.layers[-1].items() if path.endswith(".pyc")}
    assert starts == {magic}
