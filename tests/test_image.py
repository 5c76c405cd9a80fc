"""The Dockerfile, .dockerignore and the locks say what docs/decisions/0016 promises; no engine is needed to see it."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from dockerfile import read_stages
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from servers import program

ROOT = Path(__file__).parent.parent
LOCKS = ("requirements.lock", "requirements-build.lock")
HEAD, BUILD, FINAL = read_stages(ROOT / "Dockerfile")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def _arguments(stage) -> dict[str, str]:
    pairs = (argument.text.partition("=") for argument in stage.all("ARG"))
    return {name: value for name, _, value in pairs}


def _variables() -> dict[str, str]:
    return dict(pair.split("=", 1) for line in FINAL.all("ENV") for pair in shlex.split(line.text))


def _labels() -> dict[str, str]:
    words = (word for line in FINAL.all("LABEL") for word in shlex.split(line.text))
    return {
        name.removeprefix("org.opencontainers.image."): value for name, _, value in (w.partition("=") for w in words)
    }


def _from_the_checkout(stage) -> list[str]:
    copies = (copy for copy in stage.all("COPY") if not copy.text.startswith("--from="))
    return [source for copy in copies for source in copy.without_flags.split()[:-1]]


def _pinned(lock: str) -> list[tuple[Requirement, list[str]]]:
    """Each locked requirement with its hashes."""
    text = re.sub(r"\s*\\\n\s*", " ", (ROOT / lock).read_text())
    lines = (line for line in text.splitlines() if line and not line.lstrip().startswith("#"))
    split = (line.partition(" --hash=") for line in lines)
    return [(Requirement(name), f"{mark}{hashes}".split()) for name, mark, hashes in split]


def test_both_stages_stand_on_one_base_of_a_python_we_support():
    """The bytecode is for the Python that runs it, and that is one of those the project names."""
    base = _arguments(HEAD)["PYTHON_IMAGE"]
    tag = re.fullmatch(r"docker\.io/library/python:(3\.\d+)-slim-[a-z]+(@sha256:[0-9a-f]{64})?", base)
    assert tag, "a full name, a minor version, slim, the Debian it is made of, and perhaps a digest"
    assert [stage.all("FROM")[0].text for stage in (BUILD, FINAL)] == ["${PYTHON_IMAGE} AS build", "${PYTHON_IMAGE}"]
    assert tag[1] in SpecifierSet(PROJECT["project"]["requires-python"])
    assert f"Programming Language :: Python :: {tag[1]}" in PROJECT["project"]["classifiers"]


def test_it_runs_as_a_number_that_is_not_root():
    """``runAsNonRoot`` can only be checked on a number, and no user of the base has it."""
    user, _, group = FINAL.last("USER").partition(":")
    assert int(user) >= 10_000
    assert int(group) >= 10_000


def test_it_runs_without_a_shell():
    """Exec form: wikiq is the first process and hears SIGTERM itself."""
    assert json.loads(FINAL.last("ENTRYPOINT")) == ["wikiq"]
    assert json.loads(FINAL.last("CMD")) == ["--help"]
    assert FINAL.last("STOPSIGNAL") == "SIGTERM"


def test_it_declares_no_volume_port_or_health_check():
    """Volumes, ports and probes belong to whoever runs it: a worker has a probe, `wikiq results` has none."""
    assert {"VOLUME", "EXPOSE", "HEALTHCHECK", "ONBUILD"}.isdisjoint(i.name for i in FINAL.instructions)


def test_the_data_directory_is_the_only_place_that_belongs_to_its_user():
    """A named volume takes over the owner of the directory that it covers."""
    user, _, group = FINAL.last("USER").partition(":")
    data = _variables()["WIKIQ_DATA_DIR"]
    runs = " ".join(run.text for run in FINAL.all("RUN"))
    assert f"install -d -o {user} -g {group} {data}" in runs
    assert FINAL.last("WORKDIR") == data
    assert not any("--chown" in copy.text for copy in FINAL.all("COPY"))


def test_nothing_reaches_the_image_but_what_the_build_stage_made():
    """No source file, no tool and no cache of the build is in the final stage."""
    assert {copy.text.split()[0] for copy in FINAL.all("COPY")} == {"--from=build"}
    assert {copy.without_flags for copy in FINAL.all("COPY")} == {"/dependencies/ /", "/application/ /"}


def test_the_build_takes_nothing_from_the_network_but_locked_wheels():
    """Whatever pip installs is a wheel whose hash is in a lock, or was made here; nobody else fetches anything."""
    runs = " && ".join(run.without_flags for stage in (BUILD, FINAL) for run in stage.all("RUN"))
    installs = [step for step in runs.split(" && ") if re.match(r"(\w+=\S+ )?pip .*\b(install|wheel)\b", step)]
    locked = [i for i in installs if "--require-hashes --no-deps --only-binary :all: " in i]
    assert [re.search(r"-r (\S+)", step)[1] for step in locked] == list(LOCKS)
    assert all("--no-index --no-deps " in step for step in installs if step not in locked)
    assert len(installs) == 4
    assert not re.search(r"\b(curl|wget|apt|apt-get|git|ensurepip -)\b|https?://", runs)
    assert not any(stage.all("ADD") for stage in (BUILD, FINAL))


def test_no_secret_or_mirror_can_be_left_in_the_image():
    """The only secret is a mounted file; build arguments, which stay in the history, are public facts."""
    assert set(_arguments(HEAD) | _arguments(BUILD) | _arguments(FINAL)) == {
        "PYTHON_IMAGE",
        "VERSION",
        "REVISION",
        "SOURCE",
    }
    mounts = [run.text.split()[0] for run in BUILD.all("RUN") if run.text.startswith("--")]
    assert set(mounts) == {"--mount=type=secret,id=pip.conf,target=/etc/pip.conf"}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_one_version_and_hashes(lock):
    """A lock that named a range, a URL or an index would let the same commit become another image."""
    for requirement, hashes in _pinned(lock):
        assert re.fullmatch(r"==[^*,]+", str(requirement.specifier)), requirement
        assert requirement.url is None
        assert hashes
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", value) for value in hashes)
    assert "://" not in re.sub(r"#.*", "", (ROOT / lock).read_text())


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        ("requirements.lock", PROJECT["project"]["dependencies"]),
        ("requirements-build.lock", PROJECT["build-system"]["requires"]),
    ],
)
def test_the_locks_are_as_new_as_the_project(lock, wanted):
    """Each requirement of pyproject.toml is met by a locked version, or the image would lack it."""
    versions = {(canonicalize_name(r.name), str(r.specifier).removeprefix("==")) for r, _ in _pinned(lock)}
    for requirement in map(Requirement, wanted):
        found = [version for name, version in versions if name == canonicalize_name(requirement.name)]
        assert found, f"{requirement.name} is not in {lock}: make lock"
        assert all(version in requirement.specifier for version in found), requirement


def test_the_build_sees_only_what_it_copies():
    """An edit of anything else neither changes the image nor makes a layer anew, and no file lies there by chance."""
    first, *patterns = [p for p in (ROOT / ".dockerignore").read_text().splitlines() if p and not p.startswith("#")]
    let_in = [pattern.removeprefix("!") for pattern in patterns if pattern.startswith("!")]
    assert first == "*"
    assert sorted(let_in) == sorted(_from_the_checkout(BUILD))
    assert {"**/.*", "**/__pycache__", "**/*.py[cod]", "**/*.sqlite*"} <= set(patterns[len(let_in) :])
    assert all((ROOT / name).exists() for name in let_in)


def test_what_the_wheel_is_made_of_is_let_in():
    """The packages, the readme and the licence that pyproject.toml names."""
    wanted = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    wanted = {*wanted, PROJECT["project"]["readme"], *PROJECT["project"]["license-files"], "pyproject.toml", *LOCKS}
    assert set(_from_the_checkout(BUILD)) == wanted


def test_all_bytecode_is_made_anew_and_never_checked():
    """A pyc that holds its source's time would differ from build to build, and be stale once times are rewritten."""
    runs = [run.text for stage in (BUILD, FINAL) for run in stage.all("RUN")]
    steps = [step for run in runs for step in run.split(" && ") if "compileall" in step]
    assert len(steps) == 3
    assert all(re.search(r"compileall -qf --invalidation-mode unchecked-hash ", step) for step in steps)
    assert "--no-compile" in runs[0]


def test_the_labels_tell_the_same_as_the_project():
    """Title, description, licence and version are written once more in the Dockerfile, and alike."""
    project = PROJECT["project"]
    assert _labels() == {
        "title": project["name"],
        "description": project["description"],
        "licenses": project["license"],
        "version": "${VERSION}",
        "revision": "${REVISION}",
        "source": "${SOURCE}",
        "base.name": "${PYTHON_IMAGE}",
    }
    assert _arguments(FINAL)["VERSION"] == project["version"]


def test_hadolint_finds_nothing():
    """The linter of Dockerfiles has no complaint."""
    beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    hadolint = shutil.which("hadolint", path=beside) or program("hadolint")
    found = subprocess.run([hadolint, "--no-color", ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (found.stdout, found.returncode) == ("", 0)
