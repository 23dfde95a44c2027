"""Storage: a party's shares at rest, sealed on its own disk, and what all parties agree they have.

One party's side: ``keys.py``, ``sealed.py`` (the file format), ``store.py`` (its folder). All
parties' side, as steps: ``messages.py``, ``agreement.py``, ``refreshing.py``. May import
``sharing``, ``rounds``, ``encoding`` and below. Start with ``store.py``.
"""

from tacit.storage.keys import OwnerKey, create_key
from tacit.storage.records import ArrayRecord, Header, Uses
from tacit.storage.store import Place, Store, change_key, listing, places

__all__ = [
    "ArrayRecord",
    "Header",
    "OwnerKey",
    "Place",
    "Store",
    "Uses",
    "change_key",
    "create_key",
    "listing",
    "places",
]
