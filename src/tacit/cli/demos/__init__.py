"""The demos' data: one module a demo, each with ``generate(directory, ...)``.

Only generators live here; what runs on their files is the same as for anybody's. May import
``tables`` and ``errors``. Start with ``fraud.py``, whose docstring tells the story.
"""
