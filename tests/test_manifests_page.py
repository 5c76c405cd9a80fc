"""docs/kubernetes.md as somebody follows it, as far as a client without a cluster can go."""

from __future__ import annotations

import base64
import os
import re
import shlex
import subprocess

import click
import pytest
import servers
import typer
import yaml
from kustomized import MANIFESTS, OWN, ROOT, WORKERS, copied, kustomize, objects, of_kind, pods, rendered

from cli.main import app

TEXT = (ROOT / "docs" / "kubernetes.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
LINES = [line for block in BLOCKS for line in block.replace("\\\n", " ").splitlines()]
SHORT = {"deploy": "Deployment", "deployment": "Deployment", "service": "Service", "job": "Job"}


def block(beginning):
    """The one block of commands that begins so."""
    (found,) = (each for each in BLOCKS if each.startswith(beginning))
    return found


def test_there_is_something_to_check():
    """The page has its commands in blocks that these tests find."""
    assert len(BLOCKS) >= 12
    assert sum(line.startswith("kubectl ") for line in LINES) >= 25


def test_ones_own_files(tmp_path):
    """The commands of step 3 make the files that the local overlay needs, with the keys that its objects read."""
    servers.program("openssl")
    manifests = copied(tmp_path, {})
    subprocess.run(["sh", "-eu", "-c", block("cd manifests/overlays/local\n")], cwd=tmp_path, check=True)
    made = manifests / "overlays" / "local"
    own = dict(line.split("=", 1) for line in (made / "secret.env").read_text().splitlines())
    assert own.keys() == dict(line.split("=", 1) for line in OWN["secret.env"].splitlines()).keys()
    assert own["broker-url"] == f"redis://:{own['redis-password']}@redis:6379/0"
    assert own["database-url"] == f"postgresql://wikiq:{own['postgresql-password']}@postgresql/wikiq"
    assert len({own["redis-password"], own["postgresql-password"]}) == 2
    assert all(re.fullmatch("[0-9a-f]{48}", own[f"{name}-password"]) for name in ("redis", "postgresql"))
    found = tuple(objects(kustomize(made).stdout))
    assert of_kind(found, "Secret")["wikiq"]["data"].keys() == own.keys()


def test_the_secret_of_production(tmp_path):
    """The command that makes the Secret of production works, and its URLs name the file where pods have it."""
    command = block("kubectl create namespace").partition("kubectl create secret")[2]
    (tmp_path / "ca.crt").write_text("-----BEGIN CERTIFICATE-----\n")
    names = set(re.findall(r"\$(\w+)", command))
    variables = {name: name.replace("_", "-") for name in names}
    done = subprocess.run(
        ["sh", "-eu", "-c", f"{servers.program('kubectl')} create secret{command.rstrip()} --dry-run=client -o yaml"],
        cwd=tmp_path,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    secret = yaml.safe_load(done.stdout)
    told = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
    mounts = pods(rendered("production"))["wikiq-count"].container["volumeMounts"]
    (mount,) = (mount for mount in mounts if mount.get("readOnly"))
    assert (secret["metadata"]["name"], secret["metadata"]["namespace"]) == ("wikiq", "wikiq")
    assert f"ssl_ca_certs={mount['mountPath']}/ca.crt" in told["broker-url"]
    assert f"sslrootcert={mount['mountPath']}/ca.crt" in told["database-url"]
    assert told["broker-url"].startswith("rediss://redis-user:redis-password@redis-host:6379/0?")


@pytest.mark.parametrize("line", [line for line in LINES if " -- wikiq " in line])
def test_commands_of_wikiq(line):
    """Each command that is run in a pod exists, with these options and arguments."""
    name, *arguments = shlex.split(line.partition(" -- wikiq ")[2].partition(" > ")[0])
    command = typer.main.get_command(app)
    found = command.get_command(click.Context(command), name)
    assert found is not None, name
    found.make_context(name, arguments).close()


def test_paths():
    """Every file and folder that the page names is there."""
    paths = set(re.findall(r"manifests/[\w./-]+|docs/[\w./-]+", " ".join(LINES)))
    paths |= {f"manifests/{path}" for path in re.findall(r"`((?:base|overlays|components)/[\w./-]+)`", TEXT)}
    assert len(paths) >= 5
    for path in paths - {"manifests/overlays/local/contact.env"}:
        assert (ROOT / path).exists(), path
    for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", TEXT):
        assert (ROOT / "docs" / link).exists(), link


def test_objects():
    """Every object that a command names exists where the command is used."""
    found = rendered("local")
    for line in LINES:
        for kind, name in re.findall(r"\b(deploy|service)/([\w-]+)", line):
            assert name in of_kind(found, SHORT[kind]), line
        for kind, name in re.findall(r"\b(?:delete|scale) (job|deployment) ([\w-]+)", line):
            assert name in of_kind(found, SHORT[kind]), line
        for name in re.findall(r"\b(\w+)-0 --", line):
            assert name in of_kind(found, "StatefulSet"), line
        for selector in re.findall(r"--selector ('[^']+'|\S+)", line):
            assert any(chosen(selector.strip("'"), each["metadata"].get("labels", {})) for each in found), line


def chosen(selector, labels):
    """Whether a selector as kubectl takes it, ``key=value`` or ``key in (a,b)``, chooses what has these labels."""
    key, values = re.fullmatch(r"(\S+?)(?:=| in \()([\w,-]+)\)?", selector).groups()
    return labels.get(key) in values.split(",")


def test_flags_of_kubectl():
    """Every kubectl command and long option of the page is one that kubectl has."""
    for line in LINES:
        if line.startswith("kubectl "):
            words = shlex.split(line.partition(" -- ")[0].partition(" > ")[0].partition(" < ")[0])[1:]
            verb = words[:2] if words[0] in ("config", "create", "rollout") else words[:1]
            told = subprocess.run(
                [servers.program("kubectl"), *verb, "--help"], capture_output=True, text=True, check=True
            ).stdout
            for option in (word.partition("=")[0] for word in words if word.startswith("--")):
                known = ("--namespace", "--from-literal", "--from-file")
                assert option in known or re.search(rf"{option}\b", told), (line, option)


def test_the_page_says_what_there_is():
    """The numbers and times on the page are those of the manifests."""
    found = rendered("local")
    scaled = of_kind(found, "ScaledObject")
    count, rank, index = (scaled[f"wikiq-{queue}"]["spec"]["maxReplicaCount"] for queue in WORKERS)
    assert f"up to {count}, {rank} and {index}" in TEXT
    for cron in of_kind(found, "CronJob").values():
        minute, hours, *_ = cron["spec"]["schedule"].split()
        assert cron["spec"]["timeZone"] == "Etc/UTC"
        for hour in hours.split(","):
            assert f"{int(hour):02}:{minute}" in TEXT
    assert (MANIFESTS / "components" / "monitoring").is_dir()
