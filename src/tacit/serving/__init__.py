"""Private inference as a service: clients get scores of their own rows, and nobody else does.

Each party is a long-lived process in a session with the others, and an HTTPS endpoint for clients,
who run no party: they mask their rows with randomness that the parties made for them. May import
``models``, ``sessions`` and what lies below; training and services do not know each other. Start
with ``masks.py``, the protocol with the client, then ``agreement.py`` and ``engine.py``.
"""
