"""The other Pythons of this machine, each with this package's dependencies.

An environment is made once per interpreter and set of dependencies, in the folder for temporary files; where that
cannot be done, the tests that need it skip and say why.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import pytest

from tests.faults.parts import ROOT

VERSIONS = ("3.11", "3.12", "3.13")
CACHE = Path(tempfile.gettempdir()) / f"target-decisioning-interpreters-{os.getuid()}"


def python(version: str) -> str:
    """Return the path of a Python of that version which can import the package; skip where there is none."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    found = _found(version)
    if found is None:
        pytest.skip(f"no Python {version} on this machine")
    folder = CACHE / f"{version}-{hashlib.sha256('|'.join(_dependencies()).encode()).hexdigest()[:12]}"
    try:
        return str(_environment(found, folder))
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"an environment for Python {version} could not be made: {type(error).__name__}")


def _found(version: str) -> str | None:
    versions = sorted((Path.home() / ".pyenv/versions").glob(f"{version}.*/bin/python"))
    return str(versions[-1]) if versions else shutil.which(f"python{version}")


def _environment(python: str, folder: Path) -> Path:
    """Make the environment, or take the one that is there; a half-made one is made again."""
    inside, stamp = folder / "bin/python", folder / "complete"
    if not stamp.exists():
        subprocess.run([python, "-m", "venv", "--clear", str(folder)], check=True, capture_output=True, timeout=120)
        install = [str(inside), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *_dependencies()]
        subprocess.run(install, check=True, capture_output=True, timeout=180)
        stamp.touch()
    return inside


def _dependencies() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return list(project["dependencies"])
