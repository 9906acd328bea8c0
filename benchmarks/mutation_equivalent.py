"""Mutants that change nothing that anyone can see, by module and change, each with the reason."""

from __future__ import annotations

EQUIVALENT: dict[str, dict[str, str]] = {}
