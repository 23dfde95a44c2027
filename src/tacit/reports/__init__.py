"""Reports: one HTML page for people, one manifest for machines.

Plain data in, files out; nothing here trains, measures or communicates. May import ``protocols``
(for the security model's type) and ``errors``. Start with ``content.py``, then ``page.py``.
"""

from tacit.reports.content import Disclosure, Evaluation, Owner, Phase, Report
from tacit.reports.incidents import IncidentRecord
from tacit.reports.manifest import Manifest, PhaseRecord, phase_records, write_manifest
from tacit.reports.page import render, write_report

__all__ = [
    "Disclosure",
    "Evaluation",
    "IncidentRecord",
    "Manifest",
    "Owner",
    "Phase",
    "PhaseRecord",
    "Report",
    "phase_records",
    "render",
    "write_manifest",
    "write_report",
]
