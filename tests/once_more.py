"""Tests of real processes are run once more after a failure, and the first failure is reported.

How busy the machine is, is not theirs to say (decision 0089). Nothing else is run again.
"""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """By the mark alone."""
    for item in items:
        if item.get_closest_marker("processes") is not None:
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What went wrong the first time, whatever came of the second."""
    for report in terminalreporter.getreports("rerun"):
        terminalreporter.write_sep("=", f"FIRST FAILURE, run again: {report.nodeid}", bold=True)
        terminalreporter.write_line(report.longreprtext)
        for name, text in report.sections:
            terminalreporter.write_sep("-", name)
            terminalreporter.write_line(text)
