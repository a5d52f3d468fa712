"""The shared numbers: complete, true to the specification, and never typed twice (SPEC §7, §1)."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from signalpost.wire import codes
from signalpost.wire.codes import NAME_FORBIDDEN, NEVER_PRODUCED, Code

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def gen() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gen", ROOT / "protocol" / "gen.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_code_of_the_original_has_its_name_and_number() -> None:
    """SPEC §7: the names and numbers are the originals', and 209 is the Android API's."""
    assert {code.name: code.value for code in Code} == {
        "SUCCESS": 0,
        "LOGOUT_E_OTHER": 100,
        "LOGOUT_E_USER": 101,
        "LOGOUT_E_NET": 102,
        "LOGOUT_E_KICKED": 103,
        "LOGOUT_E_PACKET": 104,
        "LOGOUT_E_TOKENEXPIRED": 105,
        "LOGOUT_E_OLDVERSION": 106,
        "LOGOUT_E_TOKENWRONG": 107,
        "LOGOUT_E_ALREADY_LOGOUT": 108,
        "LOGIN_E_OTHER": 200,
        "LOGIN_E_NET": 201,
        "LOGIN_E_FAILED": 202,
        "LOGIN_E_CANCEL": 203,
        "LOGIN_E_TOKENEXPIRED": 204,
        "LOGIN_E_OLDVERSION": 205,
        "LOGIN_E_TOKENWRONG": 206,
        "LOGIN_E_TOKEN_KICKED": 207,
        "LOGIN_E_ALREADY_LOGIN": 208,
        "LOGIN_E_INVALID_USER": 209,
        "JOINCHANNEL_E_OTHER": 300,
        "SENDMESSAGE_E_OTHER": 400,
        "SENDMESSAGE_E_TIMEOUT": 401,
        "QUERYUSERNUM_E_OTHER": 500,
        "QUERYUSERNUM_E_TIMEOUT": 501,
        "QUERYUSERNUM_E_BYUSER": 502,
        "LEAVECHANNEL_E_OTHER": 600,
        "LEAVECHANNEL_E_KICKED": 601,
        "LEAVECHANNEL_E_BYUSER": 602,
        "LEAVECHANNEL_E_LOGOUT": 603,
        "LEAVECHANNEL_E_DISCONN": 604,
        "INVITE_E_OTHER": 700,
        "INVITE_E_REINVITE": 701,
        "INVITE_E_NET": 702,
        "INVITE_E_PEEROFFLINE": 703,
        "INVITE_E_TIMEOUT": 704,
        "INVITE_E_CANTRECV": 705,
        "GENERAL_E": 1000,
        "GENERAL_E_FAILED": 1001,
        "GENERAL_E_UNKNOWN": 1002,
        "GENERAL_E_NOT_LOGIN": 1003,
        "GENERAL_E_WRONG_PARAM": 1004,
        "GENERAL_E_LARGE_PARAM": 1005,
    }


def test_the_codes_that_nothing_produces_are_marked() -> None:
    """SPEC E1: 100, 104, 106, 200, 202, 205, 502, 600 are never produced."""
    assert {100, 104, 106, 200, 202, 205, 502, 600} == NEVER_PRODUCED


def test_a_code_says_what_it_means_and_travels_as_its_number() -> None:
    """SPEC §7: numbers on the wire, words for people."""
    assert all(code.meaning.endswith(".") for code in Code)
    assert len({code.meaning for code in Code}) == len(Code)
    assert msgspec.json.encode({"code": Code.INVITE_E_PEEROFFLINE}) == b'{"code":703}'
    assert Code(703) is Code.INVITE_E_PEEROFFLINE


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NAME_BYTES", 128),
        ("INSTANT_BYTES", 8196),
        ("CHANNEL_MESSAGE_BYTES", 8192),
        ("ATTRIBUTE_NAME_BYTES", 128),
        ("ATTRIBUTE_VALUE_BYTES", 8096),
        ("ATTRIBUTES", 100),
        ("EXTRA_BYTES", 8192),
        ("DTMF_KEYS", 64),
        ("FRAME_BYTES", 65536),
        ("POLL_BATCH", 30),
        ("LIST_MEMBERS", 200),
        ("LIST_ALL_MEMBERS", 1_000_000),
        ("CHANNEL_TTL_SECONDS", 86_400),
        ("AUTO_UPDATE_SECONDS", 3600),
        ("SETATTR_RATE", 10),
        ("SDK_VERSION", "1.4.0"),
        ("ANDROID_SDK_VERSION", "1010404000"),
        ("NO_TOKEN", "_no_need_token"),
        ("REASON_KICK", "kick"),
        ("REASON_TOKEN_EXPIRED", "TokenErrorExpired"),
        ("CHANNEL_USER_ONLINE", "__agora_user_online"),
        ("CHANNEL_EVENTS", "__agora_channel_event"),
    ],
)
def test_limits_and_texts_are_those_of_the_specification(name: str, value: object) -> None:
    """SPEC §1-§6, L14, P4: one name for each number."""
    assert getattr(codes, name) == value


def test_the_forbidden_code_points_are_those_of_the_specification() -> None:
    """SPEC §1: exactly these; joiners are allowed."""
    forbidden = {point for low, high in NAME_FORBIDDEN for point in range(low, high + 1)}
    assert forbidden == {
        *range(0x21),
        *range(0x7F, 0xA1),
        0x1680,
        *range(0x2000, 0x200B),
        0x2028,
        0x2029,
        0x202F,
        0x205F,
        0x3000,
        0xFEFF,
        *range(0xD800, 0xE000),
    }
    assert 0x200D not in forbidden


# --- the generator ----------------------------------------------------------------------------


def test_the_generated_files_are_up_to_date() -> None:
    """ARCHITECTURE: shared numbers are generated, never typed twice."""
    done = subprocess.run(
        [sys.executable, ROOT / "protocol" / "gen.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_java_gets_each_code_twice_and_no_line_too_long(gen: ModuleType) -> None:
    """SPEC §7, S5: by the names that apps know (`ECODE_`), and by those of the other SDKs."""
    table = gen.read_table(gen.SOURCE.read_text(encoding="utf-8"))
    core, face = gen.render_java(table), gen.render_java_errors(table)
    for code in Code:
        assert f"    public static final int {code.name} = {code.value};\n" in core
        assert f"    int ECODE_{code.name} = {code.value};\n" in face
    assert face.count("int ECODE_") == len(Code)
    assert face.count("Nothing produces it.") == len(NEVER_PRODUCED)
    assert '    public static final String SDK_VERSION = "1.4.0";\n' in core
    assert max(map(len, (core + face).splitlines())) <= gen.JAVA_COLUMNS


def test_a_stale_file_is_named_by_check_and_mended_without_it(
    gen: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """ARCHITECTURE: `gen.py --check` in CI."""
    monkeypatch.setattr(gen, "ROOT", tmp_path)
    monkeypatch.setattr(gen, "TARGETS", {Path("codes.py"): gen.render_python})
    assert gen.main(["--check"]) == 1
    assert "codes.py is not what protocol/codes.toml says" in capsys.readouterr().err
    assert not (tmp_path / "codes.py").exists()
    assert gen.main([]) == 0
    assert gen.main(["--check"]) == 0
    (tmp_path / "codes.py").write_text("edited by hand")
    assert gen.main(["--check"]) == 1


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ("x", "not TOML"),
        ("[colours]", "colours: unknown section"),
        ('[codes]\na = {number = 1, meaning = "A."}', "a: a name is upper-case"),
        ('[codes]\nA = {number = "1", meaning = "A."}', "A: number must be int"),
        ("[codes]\nA = {number = 1}", "A: expected exactly the fields"),
        (
            '[codes]\nA = {number = 1, meaning = "A."}\nB = {number = 1, meaning = "B."}',
            "B: 1 is taken by A",
        ),
        (
            '[codes]\nA = {number = 2, meaning = "A."}\nB = {number = 1, meaning = "B."}',
            "codes: keep the numbers ascending",
        ),
        ('[limits]\nA = {value = true, meaning = "A"}', "A: value must be int"),
        (
            '[limits]\nA = {value = 1, meaning = "A"}\n[texts]\nA = {value = "1", meaning = "A"}',
            "A: named twice",
        ),
        ('[ranges]\nA = {value = [[2, 1]], meaning = "A"}', "A: ranges must be"),
        ('[ranges]\nA = {value = [[5, 6], [1, 2]], meaning = "A"}', "A: ranges must be"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused_by_name(
    gen: ModuleType, table: str, complaint: str
) -> None:
    """ARCHITECTURE: the single source is checked before anything is made of it."""
    with pytest.raises(gen.TableError, match=complaint):
        gen.read_table(table)
