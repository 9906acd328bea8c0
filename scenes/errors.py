"""The one exception for what a user can put right, and how it words a near miss."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(Exception):
    """Bad input: a config, an asset, an output folder. The message is one line that says what to change.

    Names and values are a user's and may hold anything: what is not printable, line ends above all, is shown escaped.
    """

    def __init__(self, message: str):
        super().__init__("".join(c if c.isprintable() else repr(c)[1:-1] for c in message))


def choices(given: str, allowed: Iterable[str]) -> str:
    """The tail of a message about an unknown name: the near miss if there is one, else what is accepted."""
    options = sorted(allowed)
    near = difflib.get_close_matches(given, options, n=1, cutoff=0.6)
    if near:
        return f"did you mean '{near[0]}'?"
    shown = ", ".join(options[:20]) + (", …" if len(options) > 20 else "")
    return f"accepted: {shown}" if options else "nothing is accepted here"
