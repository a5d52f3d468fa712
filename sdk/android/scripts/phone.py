"""The JAR in an application on a phone: shrunk by R8, and brought down to Android 5 by D8.

    phone.py DIRECTORY      the one that `mvn -Pcheck verify` has built in

The application is GenerationsTest with its classes of every generation. R8 merges, renames and drops by the
rules in the JAR (META-INF/proguard); D8 takes away what Android 5 does not know, default methods of
interfaces above all. Both results are run here, and all of io.agora is in them; what that is, api.py knows.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from api import find_jar, name_of, read_api

__all__: list[str] = []

TEST = "io.agora.GenerationsTest"
QUICK = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")

# The test stays as it is, its application does not. What the JDK's own classes need is no phone's business.
RULES = f"""
-keep class {TEST}* {{ *; }}
-keepattributes Signature,InnerClasses,EnclosingMethod
-dontwarn jdk.**
-dontwarn sun.**
-dontwarn org.junit.**
-dontwarn org.apiguardian.**
"""


def main() -> None:
    built = Path(sys.argv[1]).resolve()
    jar, r8, junit = find_jar(built), built / "r8.jar", built / "junit-platform-console-standalone.jar"
    paths = [Path(path) for path in (built / "classpath").read_text().strip().split(os.pathsep)]
    given = [path for path in paths if path.name.startswith(("json-", "android-"))]  # by the phone
    library: list[str | Path] = []
    for path in [pack_library(built / "library.jar"), junit, *given]:
        library += ["--lib", path]

    rules = built / "application.pro"
    with zipfile.ZipFile(jar) as archive:
        rules.write_text(archive.read("META-INF/proguard/signalpost.pro").decode() + RULES)
    application = pack_application(built / "test-classes", built / "application.jar")
    program = [application, jar, *(path for path in paths if path not in given)]

    shrunk, older = built / "shrunk.jar", built / "shrunk-21.jar"
    shrink = ("-cp", r8, "com.android.tools.r8.R8", "--classfile", "--pg-conf", rules)
    lower = ("-cp", r8, "com.android.tools.r8.D8", "--classfile", "--min-api", "21")
    run(*shrink, *library, "--output", shrunk, *program)
    run(*lower, *library, "--output", older, shrunk)

    for each in (shrunk, older):
        classpath = os.pathsep.join(map(str, [each, junit, *given]))
        launcher = ("org.junit.platform.console.ConsoleLauncher", "execute", "--disable-banner")
        run("-cp", classpath, *launcher, "--details=tree", "--fail-if-no-tests", f"--select-class={TEST}")

    lost = members_of(jar) - members_of(shrunk)
    if lost:
        sys.exit(f"R8 drops, by the rules in the JAR, what applications use: {', '.join(sorted(lost))}")


def run(*command: str | Path) -> None:
    """A Java program; what it prints is shown if it fails."""
    program = ["java", *QUICK, *map(str, command)]
    done = subprocess.run(program, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        print(done.stdout, file=sys.stderr)
        sys.exit(f"It failed: {' '.join(program)}")


def pack_library(file: Path) -> Path:
    """What stands in for the phone's java.*; with the whole JDK, R8 would take minutes."""
    javac = shutil.which("javac")
    if javac is None:
        sys.exit("There is no javac: a JDK is needed")
    modules = Path(javac).resolve().parents[1] / "jmods"
    with zipfile.ZipFile(file, "w") as library:
        for module in ("java.base", "java.logging"):
            with zipfile.ZipFile(modules / f"{module}.jmod") as source:
                for name in source.namelist():
                    if name.startswith(("classes/java/", "classes/javax/")) and name.endswith(".class"):
                        library.writestr(name.removeprefix("classes/"), source.read(name))
    return file


def pack_application(classes: Path, file: Path) -> Path:
    with zipfile.ZipFile(file, "w") as application:
        for pattern in ("io/agora/apps/*.class", "io/agora/GenerationsTest*.class"):
            for each in sorted(classes.glob(pattern)):
                application.write(each, str(each.relative_to(classes)))
    return file


def members_of(jar: Path) -> set[str]:
    """Those of the types of io.agora; without `throws`, which nothing needs that runs."""
    return {
        f"{name_of(head)}: {member.partition(' throws ')[0].rstrip(';')}"
        for head, members in read_api(jar).items()
        if name_of(head).startswith("io.agora.")
        for member in members
    }


if __name__ == "__main__":
    main()
