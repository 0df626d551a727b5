"""Speed of the kit, each number beside a floor measured in the same run. `python -m benchmarks.run` prints them.

Absolute times say little on a shared machine; ratios to the floor do. One file is one benchmark: it has a `measure()`
that gives Rows, and is run in a process of its own. Nothing here is imported by the package or by tests.
"""
