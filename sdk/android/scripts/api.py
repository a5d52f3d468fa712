"""The public API of the JAR as text: what an application that is compiled already relies on.

    api.py DIRECTORY            print it; DIRECTORY is the one that Maven has built in
    api.py DIRECTORY --write    put it into api/signalpost-android.txt
    api.py DIRECTORY --check    fail if it differs from what is there

It knows which packages are for applications; `core` and `shell` are not.
"""

from __future__ import annotations

import argparse
import difflib
import re
import subprocess
import sys
import zipfile
from pathlib import Path

__all__ = ["find_jar", "name_of", "read_api"]

PACKAGES = ("io/agora", "io/agora/signal", "io/signalpost")
FILE = Path(__file__).parent.parent / "api" / "signalpost-android.txt"

Api = dict[str, list[str]]


def find_jar(directory: Path) -> Path:
    """The JAR itself among those that Maven has made."""
    jars = directory.glob("signalpost-android-*.jar")
    return next(jar for jar in jars if not jar.stem.endswith(("-sources", "-javadoc")))


def read_api(jar: Path) -> Api:
    """The members that applications can see, sorted, by the line that begins their type."""
    with zipfile.ZipFile(jar) as archive:
        names = [name.removesuffix(".class") for name in archive.namelist() if name.endswith(".class")]
    types = sorted(name.replace("/", ".") for name in names if name.rpartition("/")[0] in PACKAGES)
    command = ["javap", "-protected", "-constants", "-classpath", str(jar), *types]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    api: Api = {}
    members: list[str] = []
    for line in lines:
        if line.endswith("{"):
            members = []
            api[line.removesuffix("{").strip()] = members
        elif line.startswith("  "):
            members.append(line.strip())
    seen = {name_of(head) for head in api if is_public(head)}
    return {
        head: sorted(api[head])
        for head in sorted(api, key=name_of)
        if all(outer in seen for outer in enclosing(name_of(head)))
    }


def is_public(head: str) -> bool:
    return head.startswith(("public ", "protected "))


def name_of(head: str) -> str:
    """`public final class a.b.C$D<T> extends E` → `a.b.C$D`."""
    found = re.search(r"(?:class|interface) ([\w.$]+)", head)
    assert found, head
    return found[1]


def enclosing(name: str) -> list[str]:
    """The type itself, and those that it is in."""
    parts = name.split("$")
    return ["$".join(parts[:count]) for count in range(1, len(parts) + 1)]


def render(api: Api) -> str:
    return "\n".join("\n".join([head, *(f"    {member}" for member in api[head]), ""]) for head in api)


def main() -> int:
    parser = argparse.ArgumentParser(description="The public API of the JAR as text.")
    parser.add_argument("directory", type=Path)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--write", action="store_true")
    what.add_argument("--check", action="store_true")
    options = parser.parse_args()
    text = render(read_api(find_jar(options.directory)))
    if options.write:
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_text(text)
    elif options.check:
        known = FILE.read_text() if FILE.exists() else ""
        changes = list(
            difflib.unified_diff(
                known.splitlines(), text.splitlines(), "committed", "built", n=1, lineterm=""
            )
        )
        if changes:
            print(
                "The API of the Java SDK has changed; if that is meant: make api, and commit it",
                file=sys.stderr,
            )
            print("\n".join(changes), file=sys.stderr)
            return 1
    else:
        print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
