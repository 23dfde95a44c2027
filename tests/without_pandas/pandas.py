"""Stands before the installed pandas in the processes that tests start: it is not there."""

raise ImportError("tests hide pandas from the processes they start: tacit does not need it")
