"""Bring what the cluster's tests need that no wheel holds: a Kafka broker's jars, and Chromium.

`python -m tests.servers.install`. Java and PostgreSQL come as wheels with the locked packages.
The jars of `pom.xml` beside this file are copied into `.cache/kafka` by Maven; where Maven is
missing, or a browser, it is installed with apt-get. Does nothing where all is there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.browser import program

ROOT = Path(__file__).parents[2]
JARS = ROOT / ".cache" / "kafka"
POM = Path(__file__).with_name("pom.xml")
MAVEN_BY_HAND = (
    "install Maven by hand (Debian, Ubuntu: sudo apt-get install maven), see that it reaches "
    "a Maven repository, and run `make test` again"
)
CHROMIUM = "chromium-headless-shell"  # Debian's, without the windows
CHROMIUM_BY_HAND = (
    f"install {CHROMIUM}, chromium or google-chrome by hand (Debian: sudo apt-get install "
    f"{CHROMIUM}; elsewhere as its maker says), see that it is on PATH, and run `make test` again"
)


class InstallError(Exception):
    """Something could not be installed; the message says what to do by hand."""


def broker() -> None:
    """Copy the broker's jars into the cache. Raises `InstallError`."""
    stamp = JARS / f"installed-{hashlib.sha256(POM.read_bytes()).hexdigest()[:16]}"
    if stamp.exists():
        return
    maven = shutil.which("mvn")
    missing = "" if maven else "Maven (apt-get install maven) and "
    _say(f"installing {missing}the jars of Apache Kafka (54 MB) into {JARS.relative_to(ROOT)}")
    if not maven:
        _apt_get("maven", MAVEN_BY_HAND)
    shutil.rmtree(JARS, ignore_errors=True)
    _run(
        *("mvn", "--quiet", "--batch-mode", "--file", str(POM)),
        *("dependency:copy-dependencies", "-DincludeScope=runtime"),
        f"-DoutputDirectory={JARS}",
        by_hand=MAVEN_BY_HAND,
    )
    stamp.touch()


def browser() -> None:
    """Install a headless Chromium where no browser is on the path. Raises `InstallError`."""
    if program() is None:
        _say(f"installing a browser for the pages' tests (apt-get install {CHROMIUM}, 100 MB)")
        _apt_get(CHROMIUM, CHROMIUM_BY_HAND)


def _apt_get(package: str, by_hand: str) -> None:
    _run("apt-get", "update", "-qq", by_hand=by_hand)
    install = ("apt-get", "install", "-y", "-qq", "--no-install-recommends")
    _run(*install, package, by_hand=by_hand)


def _run(*command: str, by_hand: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run(
            command, check=True, capture_output=True, stdin=subprocess.DEVNULL, env=environment
        )
    except (OSError, subprocess.CalledProcessError) as error:
        message = f"`{' '.join(command[:4])} …` failed ({error}): {by_hand}"
        raise InstallError(message) from error


def _say(text: str) -> None:
    sys.stderr.write(f"tests: {text}\n")


if __name__ == "__main__":
    try:
        broker()
        browser()
    except InstallError as error:
        _say(str(error))
        sys.exit(1)
