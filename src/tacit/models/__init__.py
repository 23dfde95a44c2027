"""Models of two classes that training makes and everything else uses: their form, secret or clear.

A *secret model* is its parameters as shares, the joint standardisation folded into the first layer:
it takes rows scaled into [-1, 1] by the schema's bounds, and nothing else. May import ``tables``,
``sessions``, ``functions`` and what lies below; training and services import it and do not know
each other. Start with ``form.py``, then ``scoring.py``.
"""

from tacit.models.clear import ClearModel
from tacit.models.form import ModelForm
from tacit.models.from_sklearn import from_sklearn
from tacit.models.scoring import probabilities, scores
from tacit.models.sharing import share_model
from tacit.models.stored import load, loaded, save

__all__ = [
    "ClearModel",
    "ModelForm",
    "from_sklearn",
    "load",
    "loaded",
    "probabilities",
    "save",
    "scores",
    "share_model",
]
