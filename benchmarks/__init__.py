"""How long decisions take, beside the least code that would give the same answers.

workloads   what is asked, of which artifact
floor       the least code that gives the same answer
wire        a connection that takes impressions and answers when told to
timing      bursts in turns, medians over bursts
decisions   whole calls on each workload
start, threads, hybrid, loading, swap, trouble      what else was promised, one module each
bench       measures all of these, and prints tables                    make bench
counting    calls in things that can be counted, for a guard            make test
peers       the same requests on other SDKs                             make bench-peers
profile     what a call spends its time on
growth      how its cost grows; plots draws it
memory      whether memory stays flat                                   make bench-memory
results     what was measured, kept as JSON
page        writes docs/performance.md from what was kept               make bench-page
"""
