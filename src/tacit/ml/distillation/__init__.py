"""A public model from secret ones: labels for public rows, and a student trained on them.

``teachers.py`` trains PATE's teachers on shards of the owners' rows, all of them in the rounds of
one; ``shards.py`` is each owner's secret assignment; ``public_rows.py`` reads or draws the rows
that get labels; ``job.py`` is what a party's process runs; ``student.py`` is what anybody can do
with the labels. Noise and accounting are those of private training (``functions/noise``,
``ml/privacy``).
"""
