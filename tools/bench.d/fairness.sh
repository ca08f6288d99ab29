# shellcheck shell=bash disable=SC2034
# fairness: a bonded connection and a plain TCP connection (kernel, cubic) side by side through one
# bottleneck of 40 Mbit/s, 20 ms one way and 50 ms of queue, that both uplinks share. The first fifteen
# seconds are theirs to settle (coupled_cubic finds the bottleneck by what few losses there are); what
# they share afterwards is counted. Jain's index of two: 1 is even, 0.9 is 2 to 1, 0.5 is all to one.

fairness() {
  local seconds=45 settle=15 way round to
  take_options "$@"
  [ -z "$short" ] || { seconds=2; settle=1; }
  set -- "${rest[@]}"
  while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || usage
    case $1 in --seconds) seconds=$2 ;; *) usage ;; esac
    shift 2
  done
  defaults 3 "uplink1 bundle braid braid-cubic braid-lia"
  LAB_CORE_LINK="rate=40mbit delay=20ms queue=50ms" LAB_LINK1="delay=1ms" LAB_LINK2="delay=1ms"
  start_lab
  for ((round = 1; round <= rounds; ++round)); do
    for way in $ways; do
      way_up "$way"
      for to in down up; do fairness_one "$way" $to; [ -z "$short" ] || break; done
      way_down "$way"
    done
  done
  finish
}

fairness_one() { # WAY up|down
  local host pids=()
  for host in lan net; do
    rm -f "$LAB_DIR/fair-$host.json"
    lab_spawn $host "fair-$host.log" "$LAB_PYTHON" "$meter" bulk "$2" "$LAB_SERVER4" $server_port "${seconds}s" "$LAB_DIR/fair-$host.json"
    pids+=("$LAB_LAST_PID")
  done
  for host in "${pids[@]}"; do lab_wait_until 120 lab_is_gone "$host" || lab_fail "fairness, $1: no end"; done
  for host in lan net; do whole "$LAB_DIR/fair-$host.json" "fairness, $1, $host"; done
  "$LAB_PYTHON" - "$LAB_DIR/fair-lan.json" "$LAB_DIR/fair-net.json" "$settle" "$seconds" >"$LAB_DIR/fair.json" <<'END'
import json, sys
one, other = (json.load(open(path)) for path in sys.argv[1:3])
begin = max(one["begin"], other["begin"])
first, last = (begin + float(word) for word in sys.argv[3:5])
rates = [sum(n for b, n in saw["bins"] if first <= b * 0.01 < last) * 8e-6 / (last - first)
         for saw in (one, other)]
print(json.dumps({"mbit": rates, "jain": sum(rates) ** 2 / (2 * sum(r * r for r in rates)),
                  "ratio": rates[0] / max(rates[1], 1e-3)}))
END
  record fairness "one bottleneck" "$(direction_name "$2")" "beside plain, ratio" "$1" "$(of "$LAB_DIR/fair.json" 'd["ratio"]')" less
  record fairness "one bottleneck" "$(direction_name "$2")" "Jain's index" "$1" "$(of "$LAB_DIR/fair.json" 'd["jain"]')" more
  record fairness "one bottleneck" "$(direction_name "$2")" "both, Mbit/s" "$1" "$(of "$LAB_DIR/fair.json" 'sum(d["mbit"])')" more
  say "fairness: to $(direction_name "$2"), $1: $(cat "$LAB_DIR/fair.json")"
}
