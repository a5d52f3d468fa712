"""Render `codes.toml` into the source of every language that shares its numbers.

`gen.py` writes the files, `gen.py --check` fails if one is not what it would write. It knows how to
read and check the table and how to spell it; what the numbers mean it leaves to the specification.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import sys
import textwrap
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "protocol" / "codes.toml"


class Code(NamedTuple):
    """One result code."""

    name: str
    number: int
    meaning: str
    produced: bool


class Number(NamedTuple):
    """One limit."""

    name: str
    value: int
    meaning: str


class Text(NamedTuple):
    """One name or text of the wire."""

    name: str
    value: str
    meaning: str


class Ranges(NamedTuple):
    """One set of code points: inclusive ranges, ascending, apart."""

    name: str
    value: tuple[tuple[int, int], ...]
    meaning: str


class Table(NamedTuple):
    """The whole of `codes.toml`, checked."""

    codes: tuple[Code, ...]
    limits: tuple[Number, ...]
    texts: tuple[Text, ...]
    ranges: tuple[Ranges, ...]


class TableError(Exception):
    """The table contradicts itself or has the wrong shape."""


# --- reading ----------------------------------------------------------------------------------


def read_table(text: str) -> Table:
    """Parse and check the table. Raises TableError, naming the entry that is wrong."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TableError(f"not TOML: {error}") from error
    if unknown := raw.keys() - {"codes", "limits", "texts", "ranges"}:
        refuse(min(unknown), "unknown section")
    table = Table(
        codes=tuple(Code(name, **read_code(name, row)) for name, row in section(raw, "codes")),
        limits=tuple(Number(name, **read_row(name, row, int)) for name, row in section(raw, "limits")),
        texts=tuple(Text(name, **read_row(name, row, str)) for name, row in section(raw, "texts")),
        ranges=tuple(Ranges(name, **read_ranges(name, row)) for name, row in section(raw, "ranges")),
    )
    check_unique(table)
    return table


def section(raw: dict[str, Any], name: str) -> list[tuple[str, dict[str, Any]]]:
    rows = raw.get(name, {})
    for key in rows:
        if not re.fullmatch(r"[A-Z][A-Z0-9_]*", key):
            refuse(key, "a name is upper-case letters, digits and underscores")
    return list(rows.items())


def read_code(name: str, row: dict[str, Any]) -> dict[str, Any]:
    checked = {"produced": True} | row
    expect_types(name, checked, {"number": int, "meaning": str, "produced": bool})
    return checked


def read_row(name: str, row: dict[str, Any], kind: type) -> dict[str, Any]:
    expect_types(name, row, {"value": kind, "meaning": str})
    return row


def read_ranges(name: str, row: dict[str, Any]) -> dict[str, Any]:
    expect_types(name, row, {"value": list, "meaning": str})
    pairs = tuple((first, last) for first, last in row["value"])
    edges = [edge for pair in pairs for edge in pair]
    if any(first > last for first, last in pairs) or edges != sorted(edges) or edges[-1] > sys.maxunicode:
        refuse(name, "ranges must be [first, last], ascending and apart")
    return row | {"value": pairs}


def expect_types(name: str, row: dict[str, Any], kinds: dict[str, type]) -> None:
    if row.keys() != kinds.keys():
        refuse(name, f"expected exactly the fields {', '.join(sorted(kinds))}")
    for field, kind in kinds.items():
        if type(row[field]) is not kind:
            refuse(name, f"{field} must be {kind.__name__}")


def check_unique(table: Table) -> None:
    numbers: dict[int, str] = {}
    for code in table.codes:
        if code.number in numbers:
            refuse(code.name, f"{code.number} is taken by {numbers[code.number]}")
        numbers[code.number] = code.name
    if list(numbers) != sorted(numbers):
        refuse("codes", "keep the numbers ascending")
    names: set[str] = set()
    for name in constant_names(table):
        if name in names:
            refuse(name, "named twice")
        names.add(name)


def constant_names(table: Table) -> list[str]:
    rows: list[Number | Text | Ranges] = [*table.limits, *table.texts, *table.ranges]
    return [row.name for row in rows]


def refuse(name: str, reason: str) -> NoReturn:
    raise TableError(f"{name}: {reason}")


# --- rendering --------------------------------------------------------------------------------


def render_python(table: Table) -> str:
    """The module `signalpost.wire.codes`."""
    exported = sorted(
        ["Code", "NEVER_PRODUCED", *constant_names(table)],
        key=lambda name: (not name.isupper(), name),  # ruff's order of __all__: constants, then classes
    )
    lines = [
        '"""Codes, limits and names that server and SDKs share (SPEC §7, §1; PROTOCOL).',
        "",
        "Generated from protocol/codes.toml by protocol/gen.py: edit the table, then run `make codes`.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        "from enum import IntEnum",
        "from typing import Final, Self",
        "",
        "__all__ = [",
        *(f"    {quoted(name)}," for name in exported),
        "]",
        "",
        "",
        "class Code(IntEnum):",
        '    """A result code: its number on the wire, and what it means in one line."""',
        "",
        "    meaning: str",
        "",
        "    def __new__(cls, number: int, meaning: str) -> Self:",
        "        code = int.__new__(cls, number)",
        "        code._value_ = number",
        "        code.meaning = meaning",
        "        return code",
        "",
        *(f"    {code.name} = {code.number}, {quoted(code.meaning)}" for code in table.codes),
        "",
        "",
        "#: Part of the API, but nothing produces them (SPEC E1).",
        "NEVER_PRODUCED: Final[frozenset[Code]] = frozenset(",
        "    {",
        *(f"        Code.{code.name}," for code in table.codes if not code.produced),
        "    }",
        ")",
        "",
    ]
    for limit in table.limits:
        lines += [f"#: {limit.meaning}.", f"{limit.name}: Final = {limit.value:_}"]
    lines.append("")
    for text in table.texts:
        lines += [f"#: {text.meaning}.", f"{text.name}: Final = {quoted(text.value)}"]
    lines.append("")
    for ranges in table.ranges:
        lines += [
            f"#: {ranges.meaning}.",
            f"{ranges.name}: Final[tuple[tuple[int, int], ...]] = (",
            *(f"    (0x{first:04X}, 0x{last:04X})," for first, last in ranges.value),
            ")",
        ]
    return "\n".join(lines) + "\n"


def render_typescript(table: Table) -> str:
    """The module `core/codes` of the web SDK."""
    lines = [
        "/**",
        " * Codes, limits and names that server and SDKs share (SPEC §7, §1; PROTOCOL).",
        " *",
        " * Generated from protocol/codes.toml by protocol/gen.py: edit the table, then run `make codes`.",
        " */",
        "",
        "// A constant each, so that a bundle holds those only that it needs.",
    ]
    for code in table.codes:
        lines += [f"/** {code.meaning} */", f"export const {code.name} = {code.number};"]
    lines += [
        "",
        "/** The result codes: their numbers on the wire, by name. */",
        "export const Code = {",
        *(f"  {code.name}," for code in table.codes),
        "} as const;",
        "",
        "/** A result code. */",
        "export type Code = (typeof Code)[keyof typeof Code];",
        "",
        "/** All numbers that are result codes. */",
        "export const CODES: readonly Code[] = [",
        *(f"  {code.name}," for code in table.codes),
        "];",
        "",
        "/** Their decimal digits, without that of success: a pattern has fewer bytes than the numbers. */",
        "export const FAILURE_DIGITS =",
        f"  /^({digits_of(table)})$/;",
        "",
        "/** Part of the API, but nothing produces them (SPEC E1). */",
        "export const NEVER_PRODUCED: readonly Code[] = [",
        *(f"  {code.name}," for code in table.codes if not code.produced),
        "];",
        "",
    ]
    for limit in table.limits:
        lines += [f"/** {limit.meaning}. */", f"export const {limit.name} = {limit.value:_};"]
    lines.append("")
    for text in table.texts:
        lines += [f"/** {text.meaning}. */", f"export const {text.name} = {quoted(text.value)};"]
    lines.append("")
    for ranges in table.ranges:
        lines += [
            f"/** {ranges.meaning}. */",
            f"export const {ranges.name} =",
            "  // eslint-disable-next-line no-control-regex -- they are among those that it finds",
            f"  /[{pattern_of(ranges)}]/u;",
        ]
    return "\n".join(lines) + "\n"


def digits_of(table: Table) -> str:
    """A pattern for the digits of all failures: one group for those that differ in the last digit only."""
    numbers = sorted(code.number for code in table.codes if code.number)
    groups = itertools.groupby(numbers, key=lambda number: number // 10)
    return "|".join(f"{tens}[{''.join(str(number % 10) for number in group)}]" for tens, group in groups)


def pattern_of(ranges: Ranges) -> str:
    """What stands between the brackets of a regular expression, which has fewer bytes than numbers."""
    return "".join(
        f"\\u{first:04x}" if first == last else f"\\u{first:04x}-\\u{last:04x}"
        for first, last in ranges.value
    )


#: Characters in a line of Java.
JAVA_COLUMNS = 100


def render_java(table: Table) -> str:
    """The class `io.signalpost.core.Codes` of the Android SDK."""
    lines = [
        "package io.signalpost.core;",
        "",
        "import java.util.Arrays;",
        "import java.util.Collections;",
        "import java.util.HashSet;",
        "import java.util.Set;",
        "",
        *java_header("Codes, limits and names that server and SDKs share (SPEC §7, §1; PROTOCOL)."),
        "public final class Codes {",
        "    private Codes() {}",
    ]
    for code in table.codes:
        lines += ["", *javadoc(code.meaning), f"    public static final int {code.name} = {code.number};"]
    lines += java_set("ALL", "All numbers that are result codes.", table.codes)
    never = tuple(code for code in table.codes if not code.produced)
    lines += java_set("NEVER_PRODUCED", "Part of the API, but nothing produces them (SPEC E1).", never)
    for limit in table.limits:
        lines += ["", *javadoc(f"{limit.meaning}."), java_constant("int", limit.name, f"{limit.value:_}")]
    for text in table.texts:
        lines += ["", *javadoc(f"{text.meaning}."), java_constant("String", text.name, quoted(text.value))]
    for ranges in table.ranges:
        pairs = [f"        {{0x{first:04X}, 0x{last:04X}}}," for first, last in ranges.value]
        lines += ["", *javadoc(f"{ranges.meaning}."), f"    static final int[][] {ranges.name} = {{"]
        lines += [*pairs, "    };"]
    lines += [
        "",
        "    private static Set<Integer> setOf(Integer... codes) {",
        "        return Collections.unmodifiableSet(new HashSet<>(Arrays.asList(codes)));",
        "    }",
        "}",
    ]
    return "\n".join(lines) + "\n"


def render_java_errors(table: Table) -> str:
    """The interface `io.agora.ErrorCodes`: what apps compile against."""
    lines = [
        "package io.agora;",
        "",
        *java_header("The result codes by the names that apps know (SPEC §7)."),
        "public interface ErrorCodes {",
    ]
    for code in table.codes:
        seldom = "" if code.produced else " Nothing produces it."
        lines += [*javadoc(code.meaning + seldom), f"    int ECODE_{code.name} = {code.number};", ""]
    lines[-1] = "}"
    return "\n".join(lines) + "\n"


def java_header(summary: str) -> list[str]:
    made = "Generated from protocol/codes.toml by protocol/gen.py: edit the table, then run `make codes`."
    wrapped = textwrap.wrap(f"<p>{made}", JAVA_COLUMNS - 3)
    return ["/**", f" * {summary}", " *", *(f" * {line}" for line in wrapped), " */"]


def javadoc(text: str) -> list[str]:
    line = f"    /** {text} */"
    if len(line) <= JAVA_COLUMNS:
        return [line]
    return ["    /**", *(f"     * {part}" for part in textwrap.wrap(text, JAVA_COLUMNS - 7)), "     */"]


def java_constant(kind: str, name: str, value: str) -> str:
    return f"    public static final {kind} {name} = {value};"


def java_set(name: str, meaning: str, codes: tuple[Code, ...]) -> list[str]:
    items = [f"                    {code.name}," for code in codes]
    items[-1] = items[-1][:-1] + ");"
    head = f"    public static final Set<Integer> {name} ="
    return ["", *javadoc(meaning), head, "            setOf(", *items]


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=True)


#: What is made of the table: one file and one renderer a language.
TARGETS: dict[Path, Callable[[Table], str]] = {
    Path("src/signalpost/wire/codes.py"): render_python,
    Path("sdk/web/src/core/codes.ts"): render_typescript,
    Path("sdk/android/src/main/java/io/signalpost/core/Codes.java"): render_java,
    Path("sdk/android/src/main/java/io/agora/ErrorCodes.java"): render_java_errors,
}


# --- command line -----------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Render protocol/codes.toml.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is out of date")
    check = parser.parse_args(arguments).check
    try:
        table = read_table(SOURCE.read_text(encoding="utf-8"))
    except TableError as error:
        print(f"protocol/codes.toml: {error}", file=sys.stderr)
        return 1
    stale = [path for path, render in TARGETS.items() if current(ROOT / path) != render(table)]
    for path in stale:
        if check:
            print(f"{path} is not what protocol/codes.toml says: run `make codes`", file=sys.stderr)
        else:
            (ROOT / path).write_text(TARGETS[path](table), encoding="utf-8")
            print(f"wrote {path}")
    return 1 if check and stale else 0


def current(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
