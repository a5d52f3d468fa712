"""The configuration: which source wins, and what is said about each mistake (SPEC §9)."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalpost.config import Api, Config, ConfigError, load
from signalpost.domain.apps import App, WebTokens
from signalpost.domain.limits import Limits
from signalpost.domain.webhooks import Endpoint
from signalpost.gateway.http import parse_advertised
from signalpost.settings import (
    API,
    APP,
    JWT,
    LIMITS,
    PAGE,
    SERVER,
    WEBHOOK,
    IceServer,
    kind_of,
    without_secrets,
)
from signalpost.toml_file import key_lines

Write = Callable[[str], str]

DEV = {"dev": True}
SECRET = "5cfd2fd1755d40ecb72977518be15d3b"


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes `signalpost.toml` into the current directory and returns its name."""
    monkeypatch.chdir(tmp_path)

    def write(text: str) -> str:
        Path("signalpost.toml").write_text(text, encoding="utf-8")
        return "signalpost.toml"

    return write


def read(
    file: str | None = None,
    environment: dict[str, str] | None = None,
    flags: dict[str, str | bool | list[str]] | None = None,
) -> Config:
    return load(file, environment=environment or {}, flags=flags or {})


def complaints(
    file: str | None = None,
    environment: dict[str, str] | None = None,
    flags: dict[str, str | bool | list[str]] | None = None,
) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(file, environment, flags)
    return [str(problem) for problem in caught.value.problems]


# --- defaults and sources ---------------------------------------------------------------------


def test_the_defaults_are_those_of_the_specification() -> None:
    """SPEC §9, L13, L16, M5: loopback, 8080, ./signalpost-data, power, and the limits of an address."""
    config = Config()
    assert (config.host, config.port, config.data) == ("127.0.0.1", 8080, "./signalpost-data")
    assert (config.durability, config.dev, config.apps) == ("power", False, {})
    assert (config.connections_per_second, config.failed_logins_per_minute) == (200, 600)
    assert (config.guests_per_address, config.guests) == (1000, 10_000)
    assert (config.ping_after, config.dead_after) == (10.0, 30.0)
    assert (config.trusted_proxies, config.exempt_networks) == ((), ())


def test_every_setting_of_the_server_can_be_read_and_no_other() -> None:
    """SPEC §9: the table of settings and the fields of Config are the same."""
    fields = {field.name for field in msgspec.structs.fields(Config)}
    assert set(SERVER) == fields - {"limits", "apps", "api"} - set(PAGE)
    assert set(PAGE) < fields
    assert set(API) == {field.name for field in msgspec.structs.fields(Api)} - {"keys"}
    assert set(LIMITS) == {field.name for field in msgspec.structs.fields(Limits)}
    assert set(APP) == {field.name for field in msgspec.structs.fields(App)} - {
        *("limits", "jwt", "webhooks", "any_token")
    }
    assert set(WEBHOOK) == {field.name for field in msgspec.structs.fields(Endpoint)} - {"name"}
    assert set(JWT) == {field.name for field in msgspec.structs.fields(WebTokens)}


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://db/signalpost", "postgresql://db/signalpost"),
        (
            "postgresql://ann:pa@one:5432,two:5433/x?sslmode=require&password=p",
            "postgresql://one:5432,two:5433/x",
        ),
        ("postgresql:///x?host=/run/postgresql", "postgresql:///x"),
        ("redis://:secret@cache:6379/0", "redis://cache:6379/0"),
        ("redis+sentinel://a:b@one,two/name?sentinel_password=ab", "redis+sentinel://one,two/name"),
        ("redis://[::1]:6379", "redis://[::1]:6379"),
        ("redis://ann:p/w@cache", "redis://…"),
        ("redis://ann:p?w@cache", "redis://…"),
        ("redis://ann:p@w@cache", "redis://…"),
    ],
)
def test_what_is_told_of_a_store_has_no_secret(url: str, told: str) -> None:
    """SPEC N1, O1: passwords are in no log, however they are written."""
    assert without_secrets(url) == told


def test_every_default_is_an_allowed_value() -> None:
    """SPEC §9: what is taken when nothing is said could have been said."""
    for name, kind in SERVER.items():
        default = getattr(Config(), name)
        if default != "":
            kind.take(list(default) if isinstance(default, tuple) else default)
    for name, kind in LIMITS.items():
        assert kind.take(getattr(Limits(), name)) == getattr(Limits(), name)


def test_a_file_sets_everything(write: Write) -> None:
    """SPEC §9: everything can stand in the TOML file."""
    Path("cert.pem").touch()
    Path("key.pem").touch()
    config = read(
        write(f"""
[server]
host = "0.0.0.0"
port = 9000
workers = 4
worker_port = 9100
data = "/var/lib/signalpost"
durability = "process"
store = "postgresql://db/signalpost"
share = "rediss://user:pass@cache:6380/2"
advertise = "203.0.113.7:80"
tls_cert = "cert.pem"
tls_key = "key.pem"
trusted_proxies = ["10.0.0.0/8", "192.0.2.1"]
exempt_networks = ["127.0.0.0/8"]
connections_per_second = 50
failed_logins_per_minute = 60
guests = 5000
guests_per_address = 500
ping_after = 5
dead_after = 15.5
login_timeout = 20
handshake_timeout = 3
outbox_bytes = 1000000
send_buffer = 65536
log_level = "debug"
log_format = "json"

[page]
ice_servers = [
    {{ urls = "stun:stun.example.org" }},
    {{ urls = ["turn:192.0.2.9", "turns:[2001:db8::9]:443?transport=tcp"], username = "u", credential = "c" }}
]

[limits]
user_messages = 1000
inbox_seconds = 3600

[apps.one]
certificate = "{SECRET}"
lines = "flag"
watchers = ["monitor", "\u5c0f\u660e"]

[apps.one.limits]
user_messages = 7

[apps."two.too"]
allow_no_token = true
""")
    )
    assert msgspec.structs.asdict(config) == {
        "host": "0.0.0.0",
        "port": 9000,
        "workers": 4,
        "worker_port": 9100,
        "data": "/var/lib/signalpost",
        "durability": "process",
        "store": "postgresql://db/signalpost",
        "share": "rediss://user:pass@cache:6380/2",
        "advertise": "203.0.113.7:80",
        "tls_cert": "cert.pem",
        "tls_key": "key.pem",
        "trusted_proxies": (ip_network("10.0.0.0/8"), ip_network("192.0.2.1/32")),
        "exempt_networks": (ip_network("127.0.0.0/8"),),
        "dev": False,
        "connections_per_second": 50,
        "failed_logins_per_minute": 60,
        "guests": 5000,
        "guests_per_address": 500,
        "ping_after": 5.0,
        "dead_after": 15.5,
        "login_timeout": 20.0,
        "handshake_timeout": 3.0,
        "outbox_bytes": 1_000_000,
        "send_buffer": 65_536,
        "log_level": "debug",
        "log_format": "json",
        "ice_servers": (
            IceServer(("stun:stun.example.org",)),
            IceServer(("turn:192.0.2.9", "turns:[2001:db8::9]:443?transport=tcp"), "u", "c"),
        ),
        "api": None,
        "limits": Limits(user_messages=1000, inbox_seconds=3600.0),
        "apps": {
            "one": App(
                certificate=SECRET,
                lines="flag",
                watchers=("monitor", "\u5c0f\u660e"),
                limits=Limits(user_messages=7, inbox_seconds=3600.0),
            ),
            "two.too": App(allow_no_token=True, limits=Limits(user_messages=1000, inbox_seconds=3600.0)),
        },
    }


def test_flags_win_over_the_environment_and_that_over_the_file(write: Write) -> None:
    """SPEC §9: flags, environment, file, defaults."""
    file = write('[server]\nport = 1\nhost = "localhost"\ndata = "file"\n[apps.a]\nallow_no_token = true')
    environment = {"SIGNALPOST_PORT": "2", "SIGNALPOST_DATA": "environment"}
    config = read(file, environment, {"port": "3"})
    assert (config.port, config.data, config.host, config.durability) == (
        3,
        "environment",
        "localhost",
        "power",
    )


def test_the_environment_can_say_whatever_a_flag_can(write: Write) -> None:
    """SPEC §9: everything a flag sets can stand in the environment."""
    Path("cert.pem").touch()
    Path("key.pem").touch()
    config = read(
        environment={
            "SIGNALPOST_HOST": "::1",
            "SIGNALPOST_PORT": "0",
            "SIGNALPOST_DATA": ":memory:",
            "SIGNALPOST_ADVERTISE": "wss://chat.example/socket",
            "SIGNALPOST_TLS_CERT": "cert.pem",
            "SIGNALPOST_TLS_KEY": "key.pem",
            "SIGNALPOST_TRUSTED_PROXIES": "10.0.0.0/8, ::1",
            "SIGNALPOST_PING_AFTER": "2.5",
            "SIGNALPOST_APPS": f"one:{SECRET}, two",
            "SIGNALPOST_ALLOW_NO_TOKEN": "two",
        }
    )
    assert (config.host, config.port, config.data, config.ping_after) == ("::1", 0, ":memory:", 2.5)
    assert config.advertise == "wss://chat.example/socket"
    assert config.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("::1/128"))
    assert config.apps == {"one": App(certificate=SECRET), "two": App(allow_no_token=True)}


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("true", True), ("Yes", True), ("0", False), ("off", False)]
)
def test_the_environment_spells_truth_as_people_do(text: str, value: bool) -> None:
    """SPEC §9: SIGNALPOST_DEV."""
    assert read(environment={"SIGNALPOST_DEV": text, "SIGNALPOST_APPS": "a:b"}).dev is value


def test_the_environment_may_name_the_file_and_a_flag_names_another(write: Write, tmp_path: Path) -> None:
    """SPEC §9: SIGNALPOST_CONFIG is what --config sets."""
    file = write("[server]\nport = 1\ndev = true")
    other = tmp_path / "other.toml"
    other.write_text("[server]\nport = 2\ndev = true")
    environment = {"SIGNALPOST_CONFIG": str(other)}
    assert read(None, environment).port == 2
    assert read(file, environment).port == 1


def test_empty_and_foreign_variables_are_left_alone() -> None:
    """SPEC §9: an orchestrator's SIGNALPOST_SERVICE_HOST is no setting, an empty variable is none."""
    environment = {"SIGNALPOST_PORT": "", "SIGNALPOST_SERVICE_HOST": "10.1.2.3", "PORT": "1"}
    assert read(environment=environment, flags=DEV).port == 8080


def test_apps_of_all_sources_add_up_and_the_strongest_certificate_counts(write: Write) -> None:
    """SPEC §9: --app and SIGNALPOST_APPS add to the file's apps."""
    file = write('[apps.a]\ncertificate = "file"\nlines = "flag"\n[apps.b]\ncertificate = "file"')
    config = read(file, {"SIGNALPOST_APPS": "b:environment,c:environment"}, {"app": ["c:flag", "a", "d:x:y"]})
    assert {name: app.certificate for name, app in config.apps.items()} == {
        "a": "file",
        "b": "environment",
        "c": "flag",
        "d": "x:y",
    }
    assert config.apps["a"].lines == "flag"


def test_no_token_may_be_allowed_for_an_app_of_any_source(write: Write) -> None:
    """SPEC L4, §9: --allow-no-token."""
    file = write("[apps.a]\n[apps.b]")
    config = read(file, {"SIGNALPOST_ALLOW_NO_TOKEN": "a"}, {"allow_no_token": ["b"]})
    assert all(app.allow_no_token for app in config.apps.values())


def test_lists_replace_lists() -> None:
    """SPEC §9: a flag's networks are not added to the environment's."""
    config = read(
        environment={"SIGNALPOST_TRUSTED_PROXIES": "10.0.0.0/8"},
        flags={"trusted_proxies": ["192.0.2.0/24", "::1"], "dev": True},
    )
    assert config.trusted_proxies == (ip_network("192.0.2.0/24"), ip_network("::1/128"))


# --- apps -------------------------------------------------------------------------------------


def test_only_configured_apps_exist() -> None:
    """SPEC L5: an unknown App ID is none."""
    config = read(flags={"app": [f"one:{SECRET}"]})
    assert config.app("one") == App(certificate=SECRET)
    assert config.app("two") is None
    assert config.app("") is None


def test_dev_takes_any_app_and_any_token(write: Write) -> None:
    """SPEC L4, §9: --dev; the limits of the file hold there too."""
    file = write(
        '[limits]\nuser_messages = 5\n[apps.one]\ncertificate = "x"\n[apps.one.limits]\nrequests = 6'
    )
    config = read(file, flags=DEV)
    one, other = config.app("one"), config.app("whatever")
    assert one is not None
    assert other is not None
    assert one.any_token
    assert one.limits == Limits(user_messages=5, requests=6)
    assert other.any_token
    assert other.allow_no_token
    assert other.limits == Limits(user_messages=5)
    assert config.app("") is None
    assert config.app("two words") is None


def test_loopback_is_exempt_from_limits_in_dev_only() -> None:
    """SPEC L16: nobody is exempt unless the configuration says so; --dev is for one's own machine."""
    assert ip_network("127.0.0.0/8") in read(flags=DEV).exempt_networks
    assert read(flags={"app": ["a:b"]}).exempt_networks == ()
    assert read(environment={"SIGNALPOST_EXEMPT_NETWORKS": "10.0.0.0/8"}, flags=DEV).exempt_networks == (
        ip_network("10.0.0.0/8"),
    )


def test_nothing_that_is_printed_shows_a_certificate() -> None:
    """SPEC S8: no secret in a log."""
    assert SECRET not in repr(read(flags={"app": [f"one:{SECRET}"]}))


# --- complaints: one value --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('port = "x"', "port: expected a whole number from 0 to 65535, got another text"),
        ("port = 65536", "port: expected a whole number from 0 to 65535, got another number"),
        ("port = -1", "port: expected a whole number from 0 to 65535, got another number"),
        ("port = true", "port: expected a whole number from 0 to 65535, got true"),
        ("port = 80.0", "port: expected a whole number from 0 to 65535, got another number"),
        ('host = ""', "host: expected a host name or an address, got an empty text"),
        ("host = 1", "host: expected a host name or an address, got another number"),
        ('data = ""', 'data: expected the path of a directory, or ":memory:", got an empty text'),
        ('durability = "fast"', 'durability: expected "power" or "process", got another text'),
        (
            'store = "mysql://db/x"',
            'store: expected a URL such as "postgresql://USER:PASSWORD@HOST/DATABASE", or nothing,'
            " got another text",
        ),
        (
            'share = "redis:cache"',
            'share: expected a URL such as "redis://USER:PASSWORD@HOST", with rediss for TLS, or nothing,'
            " got another text",
        ),
        ('dev = "yes"', "dev: expected true or false, got another text"),
        (
            "connections_per_second = 0",
            "connections_per_second: expected a whole number from 1 to 9007199254740992, got another number",
        ),
        (
            "failed_logins_per_minute = -5",
            "failed_logins_per_minute: expected a whole number from 1 to 9007199254740992,"
            " got another number",
        ),
        (
            "login_timeout = 0",
            "login_timeout: expected a number of seconds greater than 0 and at most 1000000000,"
            " got another number",
        ),
        (
            "login_timeout = -0.5",
            "login_timeout: expected a number of seconds greater than 0 and at most 1000000000,"
            " got another number",
        ),
        (
            "login_timeout = nan",
            "login_timeout: expected a number of seconds greater than 0 and at most 1000000000,"
            " got another number",
        ),
        (
            "login_timeout = inf",
            "login_timeout: expected a number of seconds greater than 0 and at most 1000000000,"
            " got another number",
        ),
        (
            "handshake_timeout = true",
            "handshake_timeout: expected a number of seconds greater than 0 and at most 1000000000, got true",
        ),
        (
            "outbox_bytes = 65535",
            "outbox_bytes: expected a whole number from 65536 to 9007199254740992, got another number",
        ),
        (
            'log_level = "loud"',
            'log_level: expected "debug" or "info" or "warning" or "error", got another text',
        ),
        (
            'trusted_proxies = ["10.0.0.0/33"]',
            'trusted_proxies: expected a list of networks such as "10.0.0.0/8" (no bits set behind the mask),'
            " got a list with something else",
        ),
        (
            'exempt_networks = "10.0.0.0/8"',
            'exempt_networks: expected a list of networks such as "10.0.0.0/8" (no bits set behind the mask),'
            " got another text",
        ),
    ],
)
def test_a_wrong_value_is_named_with_its_line_and_what_is_allowed(
    write: Write, line: str, complaint: str
) -> None:
    """SPEC §9: check-config names the line and the reason."""
    file = write(f"# Mine.\n[server]\n\n{line}\n[apps.a]\nallow_no_token = true")
    assert complaints(file) == [f"signalpost.toml:4: server.{complaint}"]


@pytest.mark.parametrize(
    "value",
    [
        "203.0.113.7:8080",
        "0.0.0.0:1",
        "255.255.255.255:65535",
        "ws://h",
        "wss://chat.example:443/path",
        "ws://[::1]:1",
    ],
)
def test_an_address_to_advertise(value: str) -> None:
    """SPEC §9: --advertise IPV4:PORT|URL."""
    assert read(flags={"advertise": value, "dev": True}).advertise == value
    parse_advertised(value)  # what is allowed here must be understood there


@pytest.mark.parametrize(
    "value",
    [
        "203.0.113.7",
        "203.0.113.256:1",
        "203.0.113.7:0",
        "203.0.113.007:80",
        "203.0.113.7:\u0668\u0660",
        "203.0.113.7:65536",
        "chat.example:8080",
        "[::1]:8080",
        "http://chat.example",
        "wss://",
        "wss://chat.example:99999",
        "wss://chat.example/a b",
        "wss://[::1",
        "1.2.3.4:8080 ",
    ],
)
def test_what_is_no_address_to_advertise(value: str) -> None:
    """SPEC §9, PROTOCOL §1: anything else would leave clients stuck."""
    assert complaints(flags={"advertise": value, "dev": True}) == [
        "--advertise: expected IPV4:PORT or a ws:// or wss:// URL, or nothing, got another text"
    ]


def test_environment_and_flags_are_judged_like_the_file() -> None:
    """SPEC §9: a complaint names the variable or the flag."""
    assert complaints(environment={"SIGNALPOST_PORT": "tcp://10.0.0.1:80"}, flags=DEV) == [
        "SIGNALPOST_PORT: expected a whole number from 0 to 65535, got another text"
    ]
    assert complaints(environment={"SIGNALPOST_DEV": "maybe", "SIGNALPOST_APPS": "a:b"}) == [
        "SIGNALPOST_DEV: expected true or false, got another text"
    ]
    assert complaints(flags={"port": "80x", "dev": True}) == [
        "--port: expected a whole number from 0 to 65535, got another text"
    ]
    assert complaints(flags={"trusted_proxies": ["x"], "dev": True})[0].startswith(
        "--trusted-proxies: expected a list of networks"
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "[limits]\nuser_messages = 0",
            "2: limits.user_messages: expected a whole number from 1 to 9007199254740992, got another number",
        ),
        (
            "[limits]\nuser_messages = 1.5",
            "2: limits.user_messages: expected a whole number from 1 to 9007199254740992, got another number",
        ),
        (
            "[limits]\nring_max = 0",
            "2: limits.ring_max: expected a number of seconds greater than 0 and at most 1000000000,"
            " got another number",
        ),
        (
            "[limits]\nchannel_seconds = 86401",
            "2: limits.channel_seconds: expected a number of seconds from 0 to 86400, got another number",
        ),
        (
            '[apps."a.b".limits]\n\nrequests = "many"',
            '3: apps."a.b".limits.requests: expected a whole number from 1 to 9007199254740992,'
            " got another text",
        ),
        ('[apps.a]\nlines = "both"', '2: apps.a.lines: expected "device" or "flag", got another text'),
        (
            '[apps.a]\nwatchers = ["two words"]',
            "2: apps.a.watchers: expected a list of accounts, got a list with something else",
        ),
        ("[page]\nice = []", "2: page: unknown key"),
        ("[limits]\nuser_mesages = 1", "2: limits: unknown key (did you mean 'user_messages'?)"),
        ("[server]\nprot = 1", "2: server: unknown key (did you mean 'port'?)"),
        ("[server]\nquantum = 1", "2: server: unknown key"),
        ("[apps.a]\ncertficate = 'x'", "2: apps.a: unknown key (did you mean 'certificate'?)"),
        ("[apps.a]\nany_token = true", "2: apps.a: unknown key (did you mean 'allow_no_token'?)"),
        ("\n[app.a]", "2: unknown key (did you mean 'apps'?)"),
        ("port = 1", "1: unknown key (port belongs under [server])"),
        ("server = 1", "1: server: expected a table"),
        ("[[apps]]", "1: apps: expected a table"),
        ("[apps]\n\na = 1", "3: apps.a: expected a table"),
        ("[apps.a]\nlimits = 1", "2: apps.a.limits: expected a table"),
        ("[server]\nhost = 'a'\nhost = 'b'", "3: Cannot overwrite a value"),
        ("[server]\nhost = ", "2: Invalid value"),
        ("[server]\n\nhost", "3: Expected '=' after a key in a key/value pair"),
    ],
)
def test_a_wrong_file_is_named_with_its_line_and_the_reason(write: Write, text: str, complaint: str) -> None:
    """SPEC §9: check-config names the line and the reason."""
    assert complaints(write(text), flags=DEV) == [f"signalpost.toml:{complaint}"]


@pytest.mark.parametrize(
    "value",
    [
        '"stun:stun.example.org"',
        '["stun:stun.example.org"]',
        "[{}]",
        "[{ urls = [] }]",
        "[{ urls = [1] }]",
        '[{ url = "stun:stun.example.org" }]',
        '[{ urls = "stun.example.org" }]',
        '[{ urls = "stun:" }]',
        '[{ urls = "stun://stun.example.org" }]',
        '[{ urls = "stun:stun.example.org:65536" }]',
        '[{ urls = "stun:stun.example.org?transport=udp" }]',
        '[{ urls = "turn:turn.example.org", username = "u" }]',
        '[{ urls = "turn:turn.example.org", credential = "SECRET" }]',
        '[{ urls = "turn:turn.example.org?transport=sctp", username = "u", credential = "SECRET" }]',
        '[{ urls = "turn:turn.example.org", username = "u", credential = 7 }]',
    ],
)
def test_what_is_no_list_of_ice_servers_is_named_with_its_line(write: Write, value: str) -> None:
    """SPEC §9: check-config names the line and what is allowed, and never shows a credential."""
    [complaint] = complaints(write(f"[page]\n\nice_servers = {value}"), flags=DEV)
    assert complaint.startswith(
        'signalpost.toml:3: page.ice_servers: expected a list of tables with urls ("stun:HOST:PORT"'
    )
    assert "SECRET" not in complaint


def test_a_file_that_cannot_be_read_says_why(write: Write) -> None:
    """SPEC §9: a clear message."""
    assert complaints("none.toml", flags=DEV) == [
        "the configuration file: cannot be read: No such file or directory"
    ]
    Path("latin.toml").write_bytes(b"# caf\xe9")
    assert complaints("latin.toml", flags=DEV) == ["latin.toml:1: is not UTF-8"]


def test_a_wrong_certificate_is_not_shown(write: Write) -> None:
    """SPEC S8: no secret in an error."""
    (complaint,) = complaints(write("[apps.a]\ncertificate = 4242424242\nallow_no_token = true"))
    assert complaint == (
        "signalpost.toml:2: apps.a.certificate: expected the app's certificate as text, got another number"
    )


@pytest.mark.parametrize("app_id", ["", "two words", "x" * 129, "tab\t", "\u3000"])
def test_an_app_id_is_a_name(write: Write, app_id: str) -> None:
    """SPEC §1: 1 to 128 visible bytes."""
    complaint = f"expected an App ID of 1 to 128 bytes without blanks, got {kind_of(app_id)}"
    quoted = msgspec.json.encode(app_id).decode()
    assert complaints(write(f"[apps.{quoted}]"), flags=DEV) == [f'signalpost.toml:1: apps."…": {complaint}']
    assert complaints(flags={"app": [f"{app_id}:{SECRET}"], "dev": True}) == [f"--app: {complaint}"]


def test_every_problem_is_reported_in_order(write: Write) -> None:
    """SPEC §9: check-config names them all."""
    file = write("[server]\nport = 'x'\nhots = 'y'\nlog_level = 1\n[limits]\nrequests = 0\n[apps.a]\n")
    assert [complaint.split(": ")[0] for complaint in complaints(file)] == [
        "signalpost.toml:2",
        "signalpost.toml:3",
        "signalpost.toml:4",
        "signalpost.toml:6",
        "signalpost.toml:7",
    ]


# --- complaints: all together -----------------------------------------------------------------


def test_without_an_app_the_server_says_what_to_do() -> None:
    """SPEC §9: secure by default, and helpful."""
    (complaint,) = complaints()
    for way in ("[apps.ID]", "SIGNALPOST_APPS=ID:CERTIFICATE", "--dev"):
        assert way in complaint


def test_an_app_without_a_certificate_must_be_wanted(write: Write) -> None:
    """SPEC §9: an app needs a certificate unless --allow-no-token names it."""
    for complaint in (*complaints(flags={"app": ["a"]}), *complaints(flags={"app": ["a:"]})):
        assert complaint == (
            "--app: the app has no certificate: give it one (certificate in the file, or"
            " SIGNALPOST_APPS=ID:CERTIFICATE), or let everybody in (--allow-no-token ID)"
        )
    (complaint,) = complaints(write("\n[apps.a]"))
    assert complaint.startswith("signalpost.toml:2: apps.a: the app has no certificate")
    assert read(flags={"app": ["a"], "allow_no_token": ["a"]}).apps == {"a": App(allow_no_token=True)}


def test_no_token_for_an_unknown_app_is_a_mistake() -> None:
    """SPEC L4: a slip of the pen opens no app."""
    assert complaints(flags={"app": ["myapp:b"], "allow_no_token": ["mayapp"]}) == [
        "--allow-no-token: no such app is configured (did you mean 'myapp'?)"
    ]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_dev_listens_on_loopback(host: str) -> None:
    """SPEC §9: --dev, loopback only."""
    assert read(flags={"host": host, "dev": True}).host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "chat.example"])
def test_dev_listens_nowhere_else(host: str) -> None:
    """SPEC §9: --dev, loopback only."""
    assert complaints(flags={"host": host, "dev": True}) == [
        "--host: --dev takes any token, so it listens on loopback only"
    ]


def test_tls_needs_both_files(write: Write) -> None:
    """SPEC §9: --tls-cert FILE --tls-key FILE."""
    Path("cert.pem").touch()
    assert complaints(flags={"tls_cert": "cert.pem", "dev": True}) == [
        "--tls-cert: tls_key is missing: TLS needs both files"
    ]
    assert complaints(write("[server]\ndev = true\ntls_key = 'cert.pem'")) == [
        "signalpost.toml:3: server.tls_key: tls_cert is missing: TLS needs both files"
    ]
    assert complaints(flags={"tls_cert": "cert.pem", "tls_key": "no.pem", "dev": True}) == [
        "--tls-key: no such file"
    ]


def test_tls_needs_room_for_its_port(write: Write) -> None:
    """SPEC §9: TLS on port + 1."""
    Path("pem").touch()
    tls: dict[str, str | bool | list[str]] = {"tls_cert": "pem", "tls_key": "pem", "dev": True}
    assert read(flags=tls | {"port": "65534"}).port == 65534
    assert complaints(flags=tls | {"port": "65535"}) == [
        "--port: TLS listens on the next port, so at most 65534 is allowed"
    ]


def test_several_workers_need_both_stores(write: Write) -> None:
    """SPEC N8: one line says what is missing, and how it is given."""
    several: dict[str, str | bool | list[str]] = {"dev": True, "workers": "2"}
    both = "several processes are several nodes, which need a --store postgresql://… and a --share redis://…"
    assert complaints(flags=several) == [f"--workers: not without store and share: {both}"]
    stored = several | {"store": "postgresql://db/signalpost"}
    assert complaints(flags=stored) == [f"--workers: not without share: {both}"]
    assert read(flags=stored | {"share": "redis://cache"}).workers == 2
    assert read(flags=several | {"workers": "1"}).workers == 1


def test_each_worker_needs_a_port_of_its_own(write: Write) -> None:
    """SPEC N8."""
    stores = 'store = "postgresql://db/signalpost"\nshare = "redis://cache"\nworkers = 4\n'
    dev: dict[str, str | bool | list[str]] = {"dev": True}
    assert read(write(f"[server]\n{stores}worker_port = 65532\n"), flags=dev).worker_port == 65532
    [said] = complaints(write(f"[server]\n{stores}worker_port = 65533\n"), flags=dev)
    assert said.endswith("there are not enough ports above it, one for each worker")


def test_nodes_that_share_need_a_store(write: Write) -> None:
    """SPEC N1: each would keep messages of its own; a store without a share is a single node."""
    dev: dict[str, str | bool | list[str]] = {"dev": True}
    assert complaints(flags=dev | {"share": "redis://cache"}) == [
        "--share: store is missing: nodes that share sessions need one PostgreSQL that keeps the rest"
    ]
    assert read(flags=dev | {"store": "postgres://db/x"}).share == ""
    assert read(flags=dev | {"store": "postgres://db/x", "share": "redis://cache"}).share == "redis://cache"


def test_a_password_is_in_no_complaint_and_no_summary(write: Write) -> None:
    """SPEC N1, O1."""
    secret = "hunter2"
    for text in (f"postgresql//u:{secret}@db/x", f"redis://u:{secret}@db", f"postgresql://u:{secret} @db"):
        assert secret not in "".join(complaints(flags={"store": text, "dev": True}))
    assert secret not in "".join(complaints(flags={"share": f"redis://u:{secret}@db", "dev": True}))
    assert secret not in repr(read(flags={"store": f"postgresql://u:{secret}@db/x", "dev": True}))


def test_a_ping_comes_before_death(write: Write) -> None:
    """SPEC L13: a peer that is never pinged would always be dead."""
    file = write("[server]\ndev = true\nping_after = 30")
    assert complaints(file) == ["signalpost.toml:3: server.ping_after: must be less than dead_after"]


def test_the_least_grace_is_not_above_the_greatest(write: Write) -> None:
    """SPEC L11: `_conn_timeout` is clamped between the two."""
    assert complaints(write("[limits]\ngrace_min = 121"), flags=DEV) == [
        "signalpost.toml:1: limits: grace_min is greater than grace_max"
    ]
    assert complaints(write("[apps.a]\n[apps.a.limits]\ngrace_max = 19"), flags=DEV) == [
        "signalpost.toml:2: apps.a.limits: grace_min is greater than grace_max"
    ]


# --- lines ------------------------------------------------------------------------------------


def test_the_line_of_every_key_is_found() -> None:
    """SPEC §9: whatever way TOML offers to write it."""
    text = '''# [server]
top.dotted = 1

[server] # port = 1
host = """
port = 2
""" # not a key
port = [
    1, # [limits]
    2,
]
"quoted key" = 3

[apps]
"a.b" = { certificate = "x", limits = { requests = 1 } }
[apps.c."d e"]
f.g = 1
[[list]]
h = 1
[[list]]
i = 1
'''
    assert key_lines(text) == {
        ("top",): 2,
        ("top", "dotted"): 2,
        ("server",): 4,
        ("server", "host"): 5,
        ("server", "port"): 8,
        ("server", "quoted key"): 12,
        ("apps",): 14,
        ("apps", "a.b"): 15,
        ("apps", "a.b", "certificate"): 15,
        ("apps", "a.b", "limits"): 15,
        ("apps", "a.b", "limits", "requests"): 15,
        ("apps", "c"): 16,
        ("apps", "c", "d e"): 16,
        ("apps", "c", "d e", "f"): 17,
        ("apps", "c", "d e", "f", "g"): 17,
        ("list",): 18,
        ("list", "h"): 19,
        ("list", "i"): 21,
    }


def test_lines_are_found_in_files_from_windows() -> None:
    """SPEC §9: the number that an editor shows."""
    assert key_lines("[server]\r\n\r\nport = 1\r\n") == {("server",): 1, ("server", "port"): 3}


_KEYS = st.text(min_size=1, max_size=8)
_VALUES = st.integers(-9, 9) | st.booleans() | st.text(max_size=20)


@given(st.dictionaries(_KEYS, st.dictionaries(_KEYS, _VALUES, max_size=5), max_size=5))
def test_whatever_a_file_holds_is_found(tables: dict[str, dict[str, object]]) -> None:
    """SPEC §9: no valid file breaks the search for its lines."""

    def encode(value: object) -> str:
        return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")

    lines = []
    expected: dict[tuple[str, ...], int] = {}
    for table, values in tables.items():
        lines.append(f"[{encode(table)}]")
        expected[table,] = len(lines)
        for key, value in values.items():
            lines.append(f"{encode(key)} = {encode(value)}")
            expected[table, key] = len(lines)
    text = "\n".join(lines)
    assert tomllib.loads(text) == tables
    assert key_lines(text) == expected
