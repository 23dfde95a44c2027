"""JAX functions become programs: `tacit.from_jax`.

JAX traces a function to primitives; ``reading.py`` reads them, ``rules.py`` and the modules beside
it say what each means on secret arrays. JAX is imported when the first function is, and is needed
by nobody who only runs programs. Start with ``entry.py``, then ``interpreter.py``.
"""

from tacit.frontends.jax.entry import from_jax

__all__ = ["from_jax"]
