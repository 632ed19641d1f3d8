"""Whether memory stays flat: many visitors, each new, over many swaps of the artifact.

    python -m benchmarks.memory                                     1,000,000 visitors, 2,000 swaps: some five minutes
    python -m benchmarks.memory --visitors 20000 --swaps 40         what the tests run

Every visitor has a browser, a page and parameters of his own, so that each cache is filled and passed over. One call in
ten is an ``execute``, whose impression is sent. Compared is memory after half of the run, when caches are full, with
memory at its end.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.decisions import new_client
from benchmarks.loading import resident_mb
from benchmarks.results import keep
from benchmarks.tables import Sheet
from benchmarks.wire import HeldSession
from benchmarks.workloads import ARTIFACTS, CHROME
from target_decisioning import TargetClient

VISITORS, SWAPS = 1_000_000, 2_000
POINTS = 40
"""How often memory is looked at."""
NEVER_SECONDS = 86_400.0
EXECUTED = 10

Json = dict[str, Any]


def measure(visitors: int = VISITORS, swaps: int = SWAPS) -> Json:
    """Return ``{visitors, swaps, points: [{visitors, resident_mb, blocks}], resident_growth, blocks_growth}``.

    A growth is a share: of the last tenth of the run over the tenth after its first half.
    """
    shop: Json = json.loads((ARTIFACTS / "shop.json").read_text(encoding="utf-8"))
    points: list[Json] = []
    each, looks = visitors // swaps, max(1, swaps // POINTS)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rules.json"
        _write(path, shop, 0)
        client = new_client(None, HeldSession(), artifact_location=str(path), polling_interval_seconds=NEVER_SECONDS)
        for swap in range(swaps):
            for n in range(swap * each, (swap + 1) * each):
                client.get_offers(request=_request(n))
            client.flush(timeout=60)
            _write(path, shop, swap + 1)
            _poll(client)
            if swap % looks == looks - 1:
                points.append(_look((swap + 1) * each))
        client.close()
    return {
        "visitors": visitors,
        "swaps": swaps,
        "points": points,
        "resident_growth": _growth(points, "resident_mb"),
        "blocks_growth": _growth(points, "blocks"),
    }


def _poll(client: TargetClient) -> None:
    """Have the artifact read again now, as the timer would."""
    keeper = client._keeper
    assert keeper is not None
    before = keeper.current
    keeper._poll()
    assert keeper.current is not before


def _write(path: Path, shop: Json, version: int) -> None:
    new = path.with_suffix(".new")
    new.write_text(json.dumps({**shop, "meta": {**shop["meta"], "swap": version}}), encoding="utf-8")
    new.replace(path)


def _request(n: int) -> Json:
    hero = {
        "name": "home-hero",
        "index": 0,
        "parameters": {f"name-{n % 97}": f"value-{n}", "user.name": f"Visitor {n}"},
    }
    offer = {"name": "checkout-offer", "index": 1, "parameters": {"tier": "silver", "orders": str(n)}}
    return {
        "id": {"tntId": f"visitor-{n}.28_0"},
        "context": {
            "channel": "web",
            "address": {"url": f"https://shop-{n}.example.com/page/{n}?word={n}"},
            "userAgent": CHROME.format(n),
            "geo": {"city": f"CITY {n}", "countryCode": "US"},
        },
        "prefetch" if n % EXECUTED else "execute": {"mboxes": [hero, offer], "pageLoad": {}},
    }


def _look(visitors: int) -> Json:
    gc.collect()
    return {"visitors": visitors, "resident_mb": resident_mb(), "blocks": sys.getallocatedblocks()}


def _growth(points: list[Json], key: str) -> float:
    tenth = max(1, len(points) // 10)
    half = len(points) // 2
    middle, last = points[half : half + tenth], points[-tenth:]
    first = statistics.median(point[key] for point in middle)
    return float(statistics.median(point[key] for point in last) / first - 1) if first else 0.0


def sheet(measured: Json) -> Sheet:
    """Return the table of some of the points."""
    points = measured["points"]
    shown = points[:: max(1, len(points) // 8)]
    rows = [(f"{one['visitors']:,}", f"{one['resident_mb']:.1f}", f"{one['blocks']:,}") for one in (*shown, points[-1])]
    rows.append(("second half", f"{measured['resident_growth']:+.1%}", f"{measured['blocks_growth']:+.1%}"))
    title = f"memory over {measured['visitors']:,} visitors and {measured['swaps']:,} swaps (aim: within 2 %)"
    return Sheet(title, ("visitors", "resident, MB", "blocks allocated"), tuple(dict.fromkeys(rows)), words=0)


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--visitors", type=int, default=VISITORS)
    parser.add_argument("--swaps", type=int, default=SWAPS)
    options = parser.parse_args()
    measured = measure(options.visitors, options.swaps)
    sheet(measured).show()
    if options.visitors >= VISITORS:
        print(f"kept in {keep('memory', measured)}")


if __name__ == "__main__":
    main()
