"""The example of a whole cluster in `deploy/`: what it says is understood, and what it starts does start."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from signalpost.config import load
from signalpost.domain.names import is_name

DEPLOY = Path(__file__).parents[2] / "deploy"
NODES = ("node1", "node2")


@pytest.fixture(scope="module")
def compose() -> Any:
    """The compose file as it is read."""
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


@pytest.fixture
def deploy(tmp_path: Path) -> Path:
    """A copy of `deploy/` with secrets in it."""
    copy = tmp_path / "deploy"
    shutil.copytree(DEPLOY, copy, ignore=shutil.ignore_patterns("secrets"))
    subprocess.run([copy / "secrets.sh"], check=True, capture_output=True, timeout=30)
    return copy


def variables(file: Path) -> dict[str, str]:
    """What an environment file sets."""
    lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_the_compose_file_follows_the_specification(deploy: Path) -> None:
    """SPEC N1: by a parser of the specification, and by docker itself where that is."""
    PyCompose.from_yaml((deploy / "compose.yaml").read_text()).validate()
    has_compose = (
        shutil.which("docker")
        and not subprocess.run(["docker", "compose", "version"], capture_output=True, timeout=60).returncode
    )
    if has_compose:
        said = subprocess.run(
            ["docker", "compose", "--file", deploy / "compose.yaml", "config", "--quiet"],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (said.returncode, said.stderr) == (0, "")


def test_it_has_all_that_it_names(compose: Any, deploy: Path) -> None:
    """SPEC N1."""
    services = compose["services"]
    assert services.keys() == {*NODES, "postgres", "redis", "proxy"}
    for name, service in services.items():
        assert set(service.get("depends_on", ())) <= services.keys(), name
        assert {
            str(file) for file in [service.get("env_file")] if file and not (deploy / file).is_file()
        } == set()
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source in compose["volumes"] or (deploy / source).exists(), (name, volume)
    assert (deploy / compose["secrets"]["postgres-password"]["file"]).is_file()
    assert (
        DEPLOY / services["node1"]["build"]["context"] / services["node1"]["build"]["dockerfile"]
    ).is_file()


@pytest.mark.parametrize("name", NODES)
def test_a_node_has_no_right_that_it_does_not_need(compose: Any, name: str) -> None:
    """SPEC N1: nothing to write to, no capability, and time enough for its drain."""
    node = compose["services"][name]
    assert node["read_only"] is True
    assert node["cap_drop"] == ["ALL"]
    assert "cap_add" not in node
    assert "no-new-privileges:true" in node["security_opt"]
    assert "ports" not in node
    assert int(node["stop_grace_period"].removesuffix("s")) > 20


def test_secrets_are_made_once_and_for_nobody_else(deploy: Path) -> None:
    """SPEC N1: what is there stays, and what is written down in the compose file is none."""
    files = sorted((deploy / "secrets").iterdir())
    assert [file.name for file in files] == ["postgres-password", "redis.env", "signalpost.env"]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    before = [file.read_text() for file in files]
    again = subprocess.run([deploy / "secrets.sh"], check=True, capture_output=True, timeout=30)
    assert again.stdout == b""
    assert [file.read_text() for file in files] == before
    password = (deploy / "secrets" / "postgres-password").read_text()
    assert len(password) == 48
    assert password in variables(deploy / "secrets" / "signalpost.env")["SIGNALPOST_STORE"]


def test_the_nodes_understand_their_environment(compose: Any, deploy: Path) -> None:
    """SPEC N1: both stores by their names in the network, and an app with a certificate."""
    node = compose["services"]["node1"]
    given = {name: value for name, value in node["environment"].items() if not value.startswith("${")}
    given |= variables(deploy / node["env_file"])
    config = load(None, environment=given, flags={"host": "0.0.0.0"})
    [(app_id, app)] = config.apps.items()
    assert is_name(app_id)
    assert len(app.certificate) == 32
    assert "@postgres/" in config.store
    assert "@redis:6379/" in config.share


@pytest.fixture
def redis(compose: Any, deploy: Path, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Redis, as the compose file starts it, but behind a socket in a directory."""
    command = [word.replace("$$", "$") for word in compose["services"]["redis"]["command"]]
    command[-1] = command[-1].replace("port 6379", f"port 0\nunixsocket {tmp_path}/redis.sock")
    environment = {**os.environ, **variables(deploy / "secrets" / "redis.env")}
    server = subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while not (tmp_path / "redis.sock").exists():
            assert server.poll() is None
            assert time.monotonic() < deadline, "no socket"
            time.sleep(0.02)
        yield environment
    finally:
        server.terminate()
        server.wait(20)


def test_redis_starts_with_its_user_and_no_password_is_to_be_seen(
    compose: Any, redis: dict[str, str], tmp_path: Path
) -> None:
    """SPEC N1: nobody gets in without the password, which is in no command line; the health check does."""
    check = compose["services"]["redis"]["healthcheck"]["test"]
    assert check[0] == "CMD-SHELL"
    shell = check[1].replace("$$", "$").replace("redis-cli", f"redis-cli -s {tmp_path}/redis.sock")
    assert subprocess.run(["sh", "-c", shell], env=redis, timeout=20).returncode == 0
    wrong = redis | {"REDIS_PASSWORD": "wrong"}
    assert subprocess.run(["sh", "-c", shell], env=wrong, timeout=20).returncode != 0
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert redis["REDIS_PASSWORD"].encode() not in process.read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
    asked = ["redis-cli", "-s", f"{tmp_path}/redis.sock", "--user", "signalpost"]
    environment = redis | {"REDISCLI_AUTH": redis["REDIS_PASSWORD"]}
    answers = [
        subprocess.run([*asked, *command], env=environment, capture_output=True, text=True, timeout=20).stdout
        for command in (("info", "persistence"), ("set", "elsewhere", "1"), ("config", "get", "save"))
    ]
    assert "aof_enabled:0" in answers[0]
    assert all("NOPERM" in answer for answer in answers[1:])


def test_the_user_of_the_example_is_the_one_of_the_documents(compose: Any) -> None:
    """SPEC N1: the rights that docs/cluster.md gives it are enough, which is tried with a server."""
    told = (DEPLOY.parent / "docs" / "cluster.md").read_text()
    command = compose["services"]["redis"]["command"][-1]
    [rights] = [
        line.split(maxsplit=4)[4] for line in command.splitlines() if line.startswith("user signalpost")
    ]
    assert rights in told
