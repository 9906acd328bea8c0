"""The exceptions for what users can correct and for files that cannot be used; hints for misspelled names."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable


class InputWarning(UserWarning):
    """One line on something that is accepted, but is hardly what was meant."""


class InputError(Exception):
    """An error that the user can correct: a wrong config, asset or folder.

    Parameters
    ----------
    message : str
        One line that says what is wrong and what to change. Characters that cannot be printed, such as line ends,
        are escaped.

    Examples
    --------
    >>> from blendmill import InputError, load_config
    >>> try:
    ...     load_config("smok")
    ... except InputError as error:
    ...     print(error)
    no preset is called 'smok', did you mean 'smoke'?; or give a .yaml file
    """

    def __init__(self, message: str):
        if len(message) > LONGEST:
            message = f"{message[: LONGEST * 2 // 3]} … {message[-LONGEST // 3 :]}"
        super().__init__(printable(message))


LONGEST = 900
"""Characters of a message. A longer one loses its middle, because its remedy stands at the end."""


def printable(text: str) -> str:
    """A text with escapes in place of line ends and of all else that a terminal would obey."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def shortened(value: object, longest: int = 60) -> str:
    """A value as a message shows it: text as it is, all else as Python writes it, on one line, cut to `longest`."""
    text = value[: longest + 1] if isinstance(value, str) else " ".join(repr(value).split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


_OF_CODE = (LookupError, TypeError, AttributeError, AssertionError)
_NAMED = re.compile(r"(?:Index|Key|Type|Attribute|Assertion|Value|ZeroDivision)Error\b")
_NO_NUMBER = re.compile(r"(invalid literal for int\(\) with base 10|could not convert string to float): b?(.*)")
_BEYOND = re.compile(r"index (\d+) is out of bounds for axis \d+ with size (\d+)")


def in_plain_words(error: Exception, said: str) -> str:
    """What a parser's error means for the user. said: its line, which may be "KeyError: 77", or just "'count'"."""
    if found := _NO_NUMBER.search(said):
        kind = "whole number" if found[1].startswith("invalid") else "number"
        return f"it has {shortened(found[2])} where a {kind} belongs"
    if found := _BEYOND.search(said):
        return f"it is damaged: it refers to number {found[1]} of a list of {found[2]}"
    if isinstance(error, _OF_CODE) or _NAMED.match(said):
        return f"it is damaged, or of a kind that its reader does not know ({said})"
    return said


class LoadError(ValueError):
    """A file of an asset that cannot be used; the message is the reason, without the name of the file."""


def choices(given: str, allowed: Iterable[str]) -> str:
    """The end of a message about an unknown name: the most similar accepted name, or else all accepted names."""
    options = sorted(allowed)
    near = difflib.get_close_matches(given, options, n=1, cutoff=0.6)
    if near:
        return f"did you mean '{near[0]}'?"
    shown = ", ".join(options[:20]) + (", …" if len(options) > 20 else "")
    return f"accepted: {shown}" if options else "nothing is accepted here"
