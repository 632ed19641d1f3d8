"""Fail unless every module that the hook ``mypyc`` names in ``pyproject.toml`` is imported compiled."""

import importlib
import sys
import tomllib
from pathlib import Path

sys.path.insert(0, "")
project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
files = project["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["mypyc"]["include"]
modules = [importlib.import_module(file.removesuffix(".py").replace("/", ".")) for file in files]
plain = [module.__name__ for module in modules if module.__file__.endswith(".py")]
sys.exit(f"not compiled: {', '.join(plain)}" if plain else 0)
