"""What ``hybrid`` costs where every part is local, beside ``on-device``."""

from __future__ import annotations

from benchmarks.decisions import Bench, new_client
from benchmarks.rows import Row
from benchmarks.timing import Timings, burst
from benchmarks.workloads import WORKLOADS


def measure(rounds: int = 20) -> list[Row]:
    """Compare both on W1, in turns."""
    bench = Bench(WORKLOADS[0])
    hybrid = new_client(bench.workload.artifact(), bench.session, decisioning_method="hybrid")
    local, shared = Timings(), Timings()
    for turn in range(rounds + 1):
        with bench.held():
            one = burst(bench.columns["ours"], bench.requests(200))
            other = burst(lambda request: hybrid.get_offers(request=request), bench.requests(200))
        hybrid.flush(timeout=60)
        if turn:
            local.bursts.append(one)
            shared.bursts.append(other)
    hybrid.close()
    bench.close()
    ratio = shared.p50_us / local.p50_us
    measured = f"{shared.p50_us:.1f} µs, {ratio:.2f}x the {local.p50_us:.1f} µs on-device"
    numbers = {"hybrid_p50_us": shared.p50_us, "on_device_p50_us": local.p50_us, "ratio": ratio}
    return [Row("W1, hybrid with all parts local", measured, "within 10 %", numbers)]
