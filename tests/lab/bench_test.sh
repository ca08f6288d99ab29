#!/bin/bash
# tools/bench works: every subcommand runs, briefly, and its figures stand in the one table and in the
# JSON file. What the figures are is nobody's business here.
set -u
. "$(dirname "$0")/topology.sh"
lab_require python3
[ -x "$BRAID" ] || lab_cannot "no $BRAID (build the release preset)"
export BRAID LINKEMU RELAY=${RELAY:-$(dirname "$BRAID")/relay}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

"$LAB_ROOT/tools/bench" all --short --ways braid --json "$out/json" >"$out/table" 2>"$out/log" ||
  lab_fail "tools/bench: $(tail -5 "$out/log")"
cat "$out/table"
for figure in aggregate:Mbit/s setup:connect failover:stall latency:kept upload:taken fairness:Jain \
    throughput:Gbit/s scale:'per second'; do
  grep -Eq "^${figure%:*} .*${figure#*:}.* [0-9]" "$out/table" || lab_fail "no figure for $figure"
done
# What --ways left out is missing, not made up.
python3 - "$out/json" <<'END' || lab_fail "the JSON file"
import json, sys
records = json.load(open(sys.argv[1]))
assert {r["way"] for r in records} == {"braid", "ceiling"}, "other ways"
held = [r["value"] for r in records if r["what"] == "held"]
assert held == [200], held
END

# The bundle of the distribution's packages carries too, where they are installed.
if command -v mptcpize redsocks danted >/dev/null; then
  "$LAB_ROOT/tools/bench" upload --short --ways bundle >"$out/table" 2>"$out/log" ||
    lab_fail "tools/bench, the bundle: $(tail -5 "$out/log")"
  grep -Eq '^upload .*taken beyond, MB .*[0-9]' "$out/table" || lab_fail "no figure of the bundle: $(cat "$out/table")"
else
  echo "without the bundle: its packages are missing"
fi
