"""The command line (SPEC §9): what it starts, what it prints, and how it fails."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from ipaddress import ip_network
from pathlib import Path

import pytest
from typer.testing import CliRunner

import signalpost
from signalpost import app as composition
from signalpost import cli as command_line
from signalpost.cli import cli, main
from signalpost.config import Config
from signalpost.domain.apps import App
from signalpost.wire.tokens import check_token

SECRET = "5cfd2fd1755d40ecb72977518be15d3b"


class Started:
    """Stands in for the server: keeps what it was started with, and ends with `status`."""

    def __init__(self) -> None:
        self.configs: list[Config] = []
        self.status = 0

    def run(self, config: Config) -> int:
        self.configs.append(config)
        return self.status


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Started:
    server = Started()
    monkeypatch.setattr(composition, "run", server.run)
    monkeypatch.setattr(command_line.logs, "configure", lambda level, form: None)
    monkeypatch.chdir(tmp_path)
    return server


def fails(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The single line on standard error of a command that ends with exit code 2."""
    assert main(arguments) == 2
    output, error = capsys.readouterr()
    assert output == ""
    assert re.fullmatch(r"signalpost: [^\n]+\n", error)
    return error.removeprefix("signalpost: ").rstrip("\n")


# --- serve ------------------------------------------------------------------------------------


def test_serve_starts_the_server_with_every_flag(started: Started) -> None:
    """SPEC §9: serve and its flags."""
    Path("cert.pem").touch()
    Path("key.pem").touch()
    flags = (
        f"--host 0.0.0.0 --port 9000 --data here --app one:{SECRET} --app two --allow-no-token two"
        " --advertise 203.0.113.7:80 --tls-cert cert.pem --tls-key key.pem"
        " --trusted-proxies 10.0.0.0/8 --trusted-proxies ::1"
    )
    assert main(["serve", *flags.split()]) == 0
    assert started.configs == [
        Config(
            host="0.0.0.0",
            port=9000,
            data="here",
            advertise="203.0.113.7:80",
            tls_cert="cert.pem",
            tls_key="key.pem",
            trusted_proxies=(ip_network("10.0.0.0/8"), ip_network("::1/128")),
            apps={"one": App(certificate=SECRET), "two": App(allow_no_token=True)},
        )
    ]


def test_serve_reads_file_and_environment(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    """SPEC §9: --config FILE, SIGNALPOST_…; flags win."""
    Path("mine.toml").write_text('[server]\nport = 1\nhost = "::1"\n[apps.a]\ncertificate = "b"')
    monkeypatch.setenv("SIGNALPOST_PORT", "2")
    monkeypatch.setenv("SIGNALPOST_DATA", ":memory:")
    assert main(["serve", "--config", "mine.toml", "--port", "3"]) == 0
    (config,) = started.configs
    assert (config.port, config.host, config.data) == (3, "::1", ":memory:")


def test_the_last_of_a_repeated_flag_counts(started: Started) -> None:
    """SPEC §9: `make run ARGS="--port 9000"` wins over the port that make gives."""
    assert main(["serve", "--dev", "--port", "8080", "--port", "9000"]) == 0
    assert started.configs[0].port == 9000


def test_serve_ends_as_the_server_ends(started: Started) -> None:
    """SPEC §9: exits 0 at SIGTERM, and otherwise when it could not start."""
    started.status = 1
    assert main(["serve", "--dev"]) == 1
    assert CliRunner().invoke(cli, ["serve", "--dev"]).exit_code == 1


def test_dev_says_so(
    started: Started, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """SPEC §9: --dev says so."""
    assert main(["serve", "--app", "a:b"]) == 0
    assert "development" not in "".join(capsys.readouterr())
    assert main(["serve", "--dev"]) == 0
    assert started.configs[1].dev
    assert "any App ID and any token is accepted" in "".join(capsys.readouterr())


def test_a_wrong_setting_is_one_line(started: Started, capsys: pytest.CaptureFixture[str]) -> None:
    """SPEC §9: exit code 2 and the reason, no traceback."""
    assert fails(capsys, "serve", "--dev", "--port", "eighty") == (
        "--port: expected a whole number from 0 to 65535, got another text"
    )
    assert fails(capsys, "serve").startswith("apps: no app is configured: give [apps.ID]")
    assert fails(capsys, "serve", "--app", "a").startswith("--app: the app has no certificate")
    assert fails(capsys, "serve", "--dev", "--host", "0.0.0.0").startswith("--host: --dev takes any token")
    assert fails(capsys, "serve", "--config", "none.toml", "--dev") == (
        "the configuration file: cannot be read: No such file or directory"
    )
    assert started.configs == []


def test_several_wrong_settings_are_one_line_too(
    started: Started, capsys: pytest.CaptureFixture[str]
) -> None:
    """SPEC §9: the first problem, and how many follow."""
    message = fails(capsys, "serve", "--dev", "--port", "x", "--advertise", "y")
    assert message.startswith("--port: ")
    assert message.endswith(" (and 1 more)")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sevre"], "No such command. Did you mean 'serve', 'store'?"),
        (["serve", "--prot", "1"], "No such option (Possible options: --host, --port)"),
        (["serve", "--port"], "Option '--port' requires an argument."),
        (["serve", "extra"], "unexpected extra argument"),
        (["token", "--app", "a", "--certificate", "b"], "Missing option '--account'"),
        (["token", "--app", "a", "--account", "b"], "Missing option '--certificate'"),
        (["check-config"], "Missing argument 'FILE'"),
    ],
)
def test_wrong_usage_is_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    """SPEC §9: exit code 2 and what was meant."""
    assert message in fails(capsys, *arguments)


# --- token ------------------------------------------------------------------------------------


def token_of(capsys: pytest.CaptureFixture[str], *flags: str) -> str:
    assert main(["token", "--app", "one", "--certificate", SECRET, "--account", "ada", *flags]) == 0
    output, error = capsys.readouterr()
    assert error == ""
    assert output.endswith("\n")
    return output[:-1]


def reason(token: str, now: float) -> str:
    return check_token(token, app_id="one", certificate=SECRET, account="ada", now=now)


def test_token_prints_a_token_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    """SPEC L3, §9: it lets the account in for a day."""
    before = int(time.time())
    token = token_of(capsys)
    after = int(time.time())
    assert reason(token, before + 86_399) == ""
    assert reason(token, after + 86_400) == "TokenErrorExpired"


def test_a_token_lives_as_long_as_it_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """SPEC §9: --ttl SECONDS."""
    before = int(time.time())
    token = token_of(capsys, "--ttl", "60")
    after = int(time.time())
    assert reason(token, before + 59) == ""
    assert reason(token, after + 60) == "TokenErrorExpired"


def test_the_certificate_may_stay_out_of_the_process_list(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """SPEC §9: everything a flag sets can stand in the environment."""
    monkeypatch.setenv("SIGNALPOST_CERTIFICATE", SECRET)
    assert main(["token", "--app", "one", "--account", "ada"]) == 0
    assert reason(capsys.readouterr().out.strip(), time.time()) == ""


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--account", "two words"], "--account: expected 1 to 128 bytes without blanks, got another text"),
        (["--app", ""], "--app: expected 1 to 128 bytes without blanks, got an empty text"),
        (["--certificate", ""], "a token needs the app's certificate"),
        (["--ttl", "0"], "--ttl"),
        (["--ttl", "soon"], "--ttl"),
        (["--ttl", "10000000000"], "from 0 to 9999999999"),
    ],
)
def test_no_token_is_printed_that_could_not_work(
    capsys: pytest.CaptureFixture[str], flags: list[str], message: str
) -> None:
    """SPEC L3, §1: exit code 2 and the reason."""
    full = ["token", "--app", "one", "--certificate", SECRET, "--account", "ada", *flags]
    error = fails(capsys, *full)
    assert message in error
    assert SECRET not in error


# --- check-config -----------------------------------------------------------------------------


def test_check_config_sums_up_without_secrets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """SPEC §9: check-config FILE."""
    file = tmp_path / "signalpost.toml"
    file.write_text(f'[apps.one]\ncertificate = "{SECRET}"\n[apps.two]\nallow_no_token = true')
    assert main(["check-config", str(file)]) == 0
    output, error = capsys.readouterr()
    assert output == "ok: listens on 127.0.0.1:8080; data in ./signalpost-data; apps: one, two\n"
    assert error == ""


def test_check_config_names_every_problem_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """SPEC §9: it names the line and the reason; exit code 1."""
    file = tmp_path / "signalpost.toml"
    file.write_text('[server]\nport = "x"\nhots = ""\n[apps.one]\n')
    assert main(["check-config", str(file)]) == 1
    output, error = capsys.readouterr()
    assert output == ""
    assert error.splitlines() == [
        f"{file}:2: server.port: expected a whole number from 0 to 65535, got another text",
        f"{file}:3: server: unknown key (did you mean 'host'?)",
        f"{file}:4: apps.one: the app has no certificate: give it one (certificate in the file, or"
        " SIGNALPOST_APPS=ID:CERTIFICATE), or let everybody in (--allow-no-token ID)",
    ]


# --- help and version -------------------------------------------------------------------------


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """SPEC §9: --version."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"signalpost {signalpost.__version__}\n"


def test_help_without_a_command() -> None:
    """SPEC §9: who types only the name is told what there is."""
    for arguments in ([], ["--help"], ["-h"]):
        result = CliRunner().invoke(cli, arguments)
        assert result.exit_code == 0
        for command in ("serve", "token", "check-config"):
            assert command in result.output


def test_the_help_of_serve_names_flags_variables_and_sections() -> None:
    """SPEC §9: everything a flag sets can stand in the file or the environment; `--help` says so."""
    result = CliRunner().invoke(cli, ["serve", "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
    assert result.exit_code == 0
    for word in (
        *("--host", "--port", "--data", "--config", "--app", "--allow-no-token", "--advertise"),
        *("--tls-cert", "--tls-key", "--trusted-proxies", "--dev"),
        *("SIGNALPOST_CONFIG", "SIGNALPOST_APPS", "SIGNALPOST_ALLOW_NO_TOKEN", "SIGNALPOST_TLS_CERT"),
        *("[server]", "[apps.ID]", "signalpost serve --dev", "8080", "./signalpost-data", "check-config"),
    ):
        assert word in result.output


# --- real processes ---------------------------------------------------------------------------


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_installed_command_and_the_module_are_the_same() -> None:
    """SPEC §9: `signalpost`, and `python -m signalpost` where it is not on the path."""
    script = Path(sys.executable).with_name("signalpost")
    expected = f"signalpost {signalpost.__version__}\n"
    assert run(str(script), "--version").stdout == expected
    assert run(sys.executable, "-m", "signalpost", "--version").stdout == expected


def test_a_process_with_a_wrong_configuration_ends_without_a_traceback() -> None:
    """SPEC §9: exit code 2, one line on standard error, nothing on standard output."""
    done = run(sys.executable, "-m", "signalpost", "serve")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("signalpost: apps: no app is configured")
    assert done.stderr.count(os.linesep) == 1


def test_a_token_is_made_without_loading_the_server() -> None:
    """SPEC §9: quick in a script: neither uvloop nor the server is imported."""
    code = (
        "import sys; from signalpost.cli import main; status = main(sys.argv[1:]);"
        "print(status, sorted({'uvloop', 'signalpost.app', 'signalpost.gateway'} & set(sys.modules)))"
    )
    arguments = ("token", "--app", "a", "--certificate", "b", "--account", "c")
    done = run(sys.executable, "-c", code, *arguments)
    assert done.stdout.splitlines()[1:] == ["0 []"]
