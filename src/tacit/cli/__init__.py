"""The command line: what people type.

Sits on top of everything. Start with ``app.py``; each command has a file of its own.
"""

from tacit.cli.app import main

__all__ = ["main"]
