"""Fuzz one target with atheris: coverage of this package leads the way.

    python -m tests.fuzz.run condition --seconds 10
    python -m tests.fuzz.run artifact --seconds 3600 --corpus .fuzz/artifact

Found inputs stay in the corpus, and the next run begins with them. An input that breaks a promise is written beside
it as ``crash-...``; ``--replay FILE`` runs that one alone. Without atheris it says so and ends well.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

NAMES = ("artifact", "condition", "cookie", "request")
SHOP = Path(__file__).resolve().parents[2] / "artifacts/shop.json"


def main() -> None:
    """Run as asked on the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.run", description=__doc__)
    parser.add_argument("target", choices=NAMES)
    parser.add_argument("--seconds", type=int, default=10, help="how long (default: 10)")
    parser.add_argument("--corpus", type=Path, help="folder of inputs (default: .fuzz/TARGET)")
    parser.add_argument("--replay", type=Path, help="run this input alone")
    options = parser.parse_args()
    if options.replay:
        _target(options.target)(options.replay.read_bytes())
        print(f"{options.target}: {options.replay} breaks no promise")
    elif importlib.util.find_spec("atheris") is None:
        print(f"{options.target}: not fuzzed, atheris is not installed here")
    else:
        _fuzz(options.target, options.seconds, options.corpus or Path(".fuzz") / options.target)


def _fuzz(name: str, seconds: int, corpus: Path) -> None:
    import atheris

    with atheris.instrument_imports(include=["target_decisioning"]):
        target = _target(name)
    corpus.mkdir(parents=True, exist_ok=True)
    for at, seed in enumerate(seeds(name)):
        (corpus / f"seed-{at}").write_bytes(seed)
    limits = [f"-max_total_time={seconds}", "-max_len=4096", "-timeout=10", "-rss_limit_mb=2048"]
    places = [f"-artifact_prefix={corpus.parent}/{name}-", str(corpus)]
    atheris.Setup([sys.argv[0], *limits, "-print_final_stats=1", "-verbosity=0", *places], target)
    atheris.Fuzz()


def _target(name: str) -> Callable[[bytes], None]:
    from tests.fuzz.targets import TARGETS  # here, so that it can be instrumented

    return TARGETS[name]


def seeds(name: str) -> list[bytes]:
    """Return inputs to begin with: one that is mostly right, and a few that choose widely."""
    spread = [bytes((start + step * at) % 256 for at in range(400)) for start, step in ((0, 1), (5, 7), (9, 31))]
    return [b"\0" + SHOP.read_bytes()[:4000], *spread] if name == "artifact" else spread


if __name__ == "__main__":
    main()
