"""Real runs on slow networks, and what the driver for virtual time predicted for them.

``python -m bench.networks`` runs three party processes over TLS on a delay line that gives them
the latency and bandwidth of a network, and compares with `tacit.rounds.VirtualTime`. The line is
either a relay of TCP connections on loopback (``relay.py``: no privileges) or network namespaces
with a tunnel each, through which the kernel's own TCP travels (``tunnels.py``: root on Linux).
"""
