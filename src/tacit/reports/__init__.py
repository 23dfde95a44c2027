"""Reports: one HTML page for people, one manifest for machines.

Plain data in, files out; nothing here trains, measures or communicates. May import ``protocols``
(for the security model's type) and ``errors``. Start with ``content.py``, then ``page.py``;
``results.py``, ``running.py`` and ``terms.py`` hold the page's sections in their order.
"""

from tacit.reports.content import Disclosure, Evaluation, Owner, Phase, Report, Topology
from tacit.reports.incidents import IncidentRecord, promised
from tacit.reports.manifest import Manifest, PhaseRecord, phase_records, write_manifest
from tacit.reports.page import render, write_report
from tacit.reports.timeline import Held, Moment, Span, Timeline

__all__ = [
    "Disclosure",
    "Evaluation",
    "Held",
    "IncidentRecord",
    "Manifest",
    "Moment",
    "Owner",
    "Phase",
    "PhaseRecord",
    "Report",
    "Span",
    "Timeline",
    "Topology",
    "phase_records",
    "promised",
    "render",
    "write_manifest",
    "write_report",
]
