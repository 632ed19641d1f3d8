"""Fail unless every module that the hook ``mypyc`` names in ``pyproject.toml`` is imported compiled."""

import importlib
import sys
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
files = project["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["mypyc"]["include"]
sys.path.insert(0, "")
for file in files:
    importlib.import_module(file.removesuffix(".py").replace("/", "."))
plain = [file for file in files if sys.modules[file.removesuffix(".py").replace("/", ".")].__file__.endswith(".py")]
sys.exit(f"not compiled: {', '.join(plain)}" if plain else 0)
