"""Check that a copy of S2RDA holds what its authors published: pictures per class and split, list files, picture files.

    python -m benchmarks.s2rda.check ROOT [--benchmark 49|MS-39]

ROOT holds synthetic/, real/ and splits/. The exit status is 0 if all agrees, 1 if something differs, and 2 if ROOT is
not a copy of S2RDA.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.common import table
from scenes.errors import InputError
from training.data.s2rda import BENCHMARKS, Report, check_s2rda

COLUMNS = ("synthetic", "real_val", "real_test")


def shown(report: Report) -> str:
    """The report as text: a table of all classes, a line for each fault, the result."""
    rows = [
        [row.name, *(_cell(found, wanted) for found, wanted in zip(row.found, row.expected, strict=True))]
        for row in report.rows
    ]
    totals = [
        _cell(sum(row.found[k] for row in report.rows), sum(row.expected[k] for row in report.rows)) for k in range(3)
    ]
    endings = ", ".join(f"{count:,} {ending or 'none'}" for ending, count in sorted(report.extensions.items()))
    wrong = sum(row.found != row.expected for row in report.rows)
    verdict = (
        "all as published" if report.sound else f"{wrong} classes differ in number, {len(report.faults)} other faults"
    )
    lines = [
        table([f"S2RDA-{report.benchmark}", *COLUMNS], [*rows, ["**all**", *totals]]),
        "",
        f"real files by ending: {endings or 'no files'}",
        *(f"fault: {fault}" for fault in report.faults),
        verdict,
    ]
    return "\n".join(lines)


def _cell(found: int, wanted: int) -> str:
    return f"{found:,}" if found == wanted else f"{found:,}, not {wanted:,}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("--benchmark", choices=sorted(BENCHMARKS), help="default: the one whose classes are there")
    options = parser.parse_args()
    try:
        report = check_s2rda(options.root, options.benchmark)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    print(shown(report))
    return 0 if report.sound else 1


if __name__ == "__main__":
    sys.exit(main())
