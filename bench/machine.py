"""Which machine and which versions a measurement belongs to."""

from __future__ import annotations

import os
import platform
import ssl
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tacit import _native

__all__ = ["describe", "differences"]

_PACKAGES = ("tacit", "numpy", "cryptography")
_COMPARED = ("processor", "cores", "memory_gib", "kernel", "kernel_path")


def describe() -> dict[str, Any]:
    """The machine, the versions, and how busy it was when the measurement began."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "kernel_path": _native.path(),
        "python": platform.python_version(),
        "openssl": ssl.OPENSSL_VERSION,
        "versions": {name: _version(name) for name in _PACKAGES},
        "commit": _commit(),
        "load": os.getloadavg()[0],
    }


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """In which respects two measurements' machines differ, those that change times."""
    return [
        f"{key}: {one.get(key)}, was {other.get(key)}"
        for key in _COMPARED
        if one.get(key) != other.get(key)
    ]


def _processor() -> str:
    with open("/proc/cpuinfo") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    """The commit checked out, with ``+`` where files were changed since; empty outside git."""
    command = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
    try:
        done = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip()
