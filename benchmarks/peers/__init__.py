"""The same requests on this package and on the SDKs that a user could pick instead: ``make bench-peers``.

    compare --requests as JSON lines--> ours.py | earlier.py | node.js   (processes that stay)
            <--nanoseconds, answers---

Each child measures inside itself; ``compare`` gives them bursts in turns and prints a table. A child reads one command
a line and answers it with one line:

    {"do": "open", "workload": "W1", "artifact": "/path"}     {"versions": {...}}
    {"do": "burst", "workload": "W1", "requests": [...]}      {"ns": [...]}
    {"do": "answer", "workload": "W1", "requests": [...]}     {"responses": [...]}

``earlier.py`` runs in a virtual environment of its own and imports nothing of this package.
"""
