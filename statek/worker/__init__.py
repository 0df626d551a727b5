"""Processes: the worker's supervisor and child, its control socket, and what others ask of it.

Here the parts of the kit are put together; no rule about jobs, releases or the store's content lives here (runtime,
control and store have them). The idea that shapes the ring: one lock beside the store says who may touch the store's
file. Its holder is one worker, or one reader while no worker runs; everybody else asks the holder.

`lock`, `places`, `spawn`, `deaths`, `recovery` and `supervisor` must not reach dbzero: the process that watches must
never be the one that crashes.
"""
