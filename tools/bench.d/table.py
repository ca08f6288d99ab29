"""Prints the records of tools/bench as one table, and as JSON.

  table.py RECORDS [JSON-FILE]

A record is one line of JSON: bench, row, to, what, way, value, better ("more" or "less"), aim, and the
machine's load average at that time. A value that is a list makes two rows, the p50 and the p99 of all its
records; the aim is the p99's. Ways that are compared: ceiling, relay, uplink1, uplink2, bundle, braid, and
braid's variants, which get a row of their own. Of the uplinks alone the better one stands in the table.
Every figure is the median of its records, or their sum if it is called "in all"; ratios are braid's
figure divided by the other's.
"""
import collections
import json
import math
import re
import statistics
import sys

OTHERS = ["ceiling", "relay", "uplink", "bundle"]


def short(value):
    if value is None:
        return "-"
    if value == 0 or abs(value) >= 1000:
        return "%.0f" % value
    return "%.1f" % value if abs(value) >= 100 else "%.3g" % value


def better_uplink(ways, better):
    alone = [ways[w] for w in ("uplink1", "uplink2") if w in ways]
    return (max if better == "more" else min)(alone) if alone else None


def met(aim, value, columns):
    """ "<= 1.05 x uplink" or "<= 150": "yes", "NO", or nothing when it cannot be said."""
    match = re.fullmatch(r"(<=|>=) ([0-9.]+)(?: x (\w+))?", aim)
    if not match or value is None:
        return ""
    limit = float(match[2])
    if match[3]:
        if columns.get(match[3]) is None:
            return ""
        limit *= columns[match[3]]
    return "yes" if (value <= limit if match[1] == "<=" else value >= limit) else "NO"


def quantile(values, share):
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def groups_of(records):
    """All values of one figure, by way; a figure of which there are many becomes two."""
    groups = collections.OrderedDict()
    for record in records:
        key = (record["bench"], record["row"], record["to"], record["what"])
        group = groups.setdefault(key, {"better": record["better"], "aim": "", "ways": {}})
        group["aim"] = record["aim"] or group["aim"]
        group["ways"].setdefault(record["way"], []).append(record["value"])
    for (bench, row, to, what), group in groups.items():
        if not any(isinstance(v, list) for values in group["ways"].values() for v in values):
            yield bench, row, to, what, group
            continue
        every = {way: sum(values, []) for way, values in group["ways"].items()}
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            ways = {way: [quantile(values, share)] for way, values in every.items() if values}
            yield bench, row, to, what + " " + name, {
                "better": group["better"], "aim": group["aim"] if name == "p99" else "", "ways": ways}


def rows_of(records):
    for bench, row, to, what, group in groups_of(records):
        of_many = sum if what.endswith("in all") else statistics.median
        ways = {way: of_many(values) for way, values in group["ways"].items()}
        columns = {other: ways.get(other) for other in OTHERS}
        columns["uplink"] = better_uplink(ways, group["better"])
        variants = [way for way in ways if way.startswith("braid")] or [None]
        for variant in variants:
            value = ways.get(variant)
            name = row + (" (" + variant + ")" if variant not in (None, "braid") else "")
            spread = group["ways"].get(variant, [])
            yield [bench, name, to, what, *(short(columns[o]) for o in OTHERS), short(value),
                   "%s..%s" % (short(min(spread)), short(max(spread))) if len(spread) > 1 else "",
                   *(ratio(value, columns[o]) for o in OTHERS), group["aim"],
                   met(group["aim"], value, columns)]


def ratio(value, other):
    return "%.2f" % (value / other) if value is not None and other else "-"


def main():
    records = [json.loads(line) for line in open(sys.argv[1])]
    header = ["bench", "case", "to", "figure", *OTHERS, "braid", "all runs",
              *("/" + other for other in OTHERS), "aim", "met"]
    rows = [header, *rows_of(records)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
    for row in rows:
        left = (0, 1, 2, 3, 13)
        print("  ".join(cell.ljust(width) if i in left else cell.rjust(width)
                        for i, (cell, width) in enumerate(zip(row, widths))).rstrip())
    loads = [record["load"] for record in records]
    print("Load average %.1f to %.1f; what else the machine does makes figures worse, and is in the "
          "machine's CPU-seconds." % (min(loads), max(loads)))
    if len(sys.argv) > 2:
        with open(sys.argv[2], "w") as file:
            json.dump(records, file, indent=1)


if __name__ == "__main__":
    main()
