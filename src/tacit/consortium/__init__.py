"""A consortium: who its parties are, the authority that certifies them, and each party's kit.

``file.py`` is what everybody may know, signed by the authority; ``kit.py`` is what one organisation
has on its machine; ``requests.py`` is the way from a key that never leaves its site to a
certificate; ``authority.py`` is the folder of whoever certifies. May import ``network``,
``storage`` and below. Start with ``file.py``, then ``kit.py``.
"""

from tacit.consortium.file import Consortium, Member, Revoked
from tacit.consortium.kit import Kit

__all__ = ["Consortium", "Kit", "Member", "Revoked"]
