#!/usr/bin/env python3
"""Holds the conformance tables to what is there: check_tables.py TESTS_DIR

Each *.md beside this file is a table for one document. Its line `Rows: M1-M119, ...` says which rows
the document's checklist has; each of them has one line

    | M32 | done | what it asks | `unit/mptcp/keys_test.cpp` name of a test case<br>`lab/x_test.sh` |

A row is done, not done, or not applicable. A done row names at least one test; a test named anywhere
exists: a case in a C++ file, or a script or a fuzz target as a whole. Other rows give a reason.
"""
import pathlib
import re
import sys

STATUSES = ("done", "not done", "not applicable")
ROW = re.compile(r"^\| *([A-Z]+-?\d+) *\|([^|]*)\|(.*)\|([^|]*)\|$")
REFERENCE = re.compile(r"^`([^`]+)`(?: (.+))?$")


def expand(ranges):
    """The ids of "M1-M3, S01-S38", in order."""
    ids = []
    for part in (word.strip() for word in ranges.split(",")):
        match = re.fullmatch(r"([A-Z]+-?)(\d+)(?:-\1(\d+))?", part)
        if not match:
            raise ValueError(f"cannot read the range '{part}'")
        prefix, first, last = match[1], match[2], match[3] or match[2]
        width = len(first) if first.startswith("0") else 1
        ids += [f"{prefix}{number:0{width}}" for number in range(int(first), int(last) + 1)]
    return ids


def cases_of(path):
    text = path.read_text(encoding="utf-8")
    cases = set()
    for match in re.finditer(r"TEST_CASE(?:_TEMPLATE)?\(\s*((?:\"(?:[^\"\\]|\\.)*\"\s*)+)", text):
        parts = re.findall(r"\"((?:[^\"\\]|\\.)*)\"", match[1])
        cases.add("".join(parts).replace('\\"', '"'))
    return cases


def wrong_with(reference, tests):
    """What is wrong with one reference to a test, or None."""
    path, name = tests / reference[1], reference[2]
    if not path.is_file():
        return f"there is no tests/{reference[1]}"
    if path.suffix == ".cpp" and not path.name.endswith("_fuzz.cpp"):
        if name is None:
            return f"names no test case of tests/{reference[1]}"
        if name not in cases_of(path):
            return f"tests/{reference[1]} has no test case \"{name}\""
    elif name is not None:
        return f"tests/{reference[1]} has no test cases to name"
    return None


def check_row(status, shown, tests):
    if status not in STATUSES:
        yield f"'{status}' is not one of: {', '.join(STATUSES)}"
        return
    parts = [part.strip() for part in shown.split("<br>") if part.strip()]
    references = [match for part in parts if (match := REFERENCE.match(part))]
    if status == "done" and not references:
        yield "is done, but names no test that shows it"
    if status != "done" and len(references) == len(parts):
        yield f"is {status} and does not say why"
    for reference in references:
        problem = wrong_with(reference, tests)
        if problem:
            yield problem


def check_table(text, tests):
    """Complaints about one table, and how many rows it has of each status."""
    complaints, counts, seen = [], dict.fromkeys(STATUSES, 0), set()
    header = re.search(r"^Rows: (.+)$", text, re.MULTILINE)
    if not header:
        return ["there is no line 'Rows: ...'"], counts
    wanted = expand(header[1])
    for line in text.splitlines():
        row = ROW.match(line)
        if not row:
            continue
        identity, status = row[1], row[2].strip()
        if identity not in wanted:
            complaints.append(f"{identity} is no row of the checklist")
        if identity in seen:
            complaints.append(f"{identity} has two lines")
        seen.add(identity)
        counts[status] = counts.get(status, 0) + 1
        complaints += [f"{identity}: {problem}" for problem in check_row(status, row[4], tests)]
    complaints += [f"{identity} has no line" for identity in wanted if identity not in seen]
    return complaints, counts


def main(tests):
    failed = False
    tables = sorted((tests / "conformance").glob("*.md"))
    for table in tables:
        complaints, counts = check_table(table.read_text(encoding="utf-8"), tests)
        print(f"{table.name}: " + ", ".join(f"{n} {status}" for status, n in counts.items()))
        for complaint in complaints:
            failed = True
            print(f"  {table.name}: {complaint}")
    return 1 if failed or not tables else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: check_tables.py TESTS_DIR")
    sys.exit(main(pathlib.Path(sys.argv[1])))
