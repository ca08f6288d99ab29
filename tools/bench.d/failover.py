"""What one trial of `tools/bench failover` shows, from what the receiver of its transfer saw.

  failover.py FILE EVENT BACK REMAINING-KBIT      EVENT and BACK: EPOCHREALTIME of the loss and of the return

JSON: stall_ms, the longest time without a byte while the link was away; full_ms, from the loss until the
start of the first half second (behind that stall) in which the application got 90 % of the remaining
link's payload; share, what it got of that payload in the first two seconds; lost, bytes; reset, 0 or 1.
"""
import json
import sys

GRAIN = 0.01


def main(path, event, back, kbit):
    saw = json.load(open(path))
    first, last = (int((float(t) - saw["epoch"]) / GRAIN) for t in (event, back))
    bins = dict(map(tuple, saw["bins"]))
    got = [bins.get(b, 0) for b in range(first, last)]
    per_bin = float(kbit) * 125 * GRAIN
    # The bin in which the link went is the last one before the stall, full or not.
    longest, end, run = 0, 0, 0
    for index, count in enumerate(got[1:], 1):
        run = 0 if count else run + 1
        if run > longest:
            longest, end = run, index + 1
    full = next((t for t in range(end, len(got) - 50) if sum(got[t:t + 50]) >= 0.9 * 50 * per_bin),
                len(got))
    two_seconds = min(len(got), round(2 / GRAIN))
    print(json.dumps({
        "stall_ms": longest * 10, "full_ms": full * 10,
        "share": sum(got[:two_seconds]) / (two_seconds * per_bin),
        "lost": (saw.get("sent") or 0) - saw["bytes"] if saw["ended"] == "eof" else 0,
        "wrong": saw["wrong_blocks"], "reset": int(saw["ended"] != "eof")}))


if __name__ == "__main__":
    main(*sys.argv[1:])
