# shellcheck shell=bash disable=SC2034
# aggregate: one connection over two uplinks, beside each of them alone and the kernel's bundle. A
# transfer has as many bytes as the uplinks of that way can carry in SECONDS, and is cut off after twice
# that time; goodput is what arrived by the time from the connect to the last byte at the receiver.

# name|uplink 1|uplink 2|rate 1, rate 2 in kbit/s (mean)|aim
aggregate_cells=(
  "50/10 + 30/30|rate=50mbit delay=10ms queue=100ms|rate=30mbit delay=30ms queue=100ms|50000 30000|>= 0.97 x ceiling"
  "100/5 + 10/100|rate=100mbit delay=5ms queue=100ms|rate=10mbit delay=100ms queue=100ms|100000 10000|>= 0.93 x ceiling"
  "20/20 + 20/20, 1 % loss|rate=20mbit delay=20ms queue=100ms loss=1%|rate=20mbit delay=20ms queue=100ms loss=1%|20000 20000|>= 1 x bundle"
  "30/20 + 30/20|rate=30mbit delay=20ms queue=100ms|rate=30mbit delay=20ms queue=100ms|30000 30000|>= 1 x bundle"
  "40/10 + 2/50|rate=40mbit delay=10ms queue=100ms|rate=2mbit delay=50ms queue=300ms|40000 2000|>= 0.95 x uplink"
  "40/15 + 20/40, 0.2 % loss|rate=40mbit delay=15ms queue=100ms loss=0.2%|rate=20mbit delay=40ms queue=100ms loss=0.2%|40000 20000|>= 1 x bundle"
  "30/10 + LTE 5..40/40|rate=30mbit delay=10ms queue=100ms|rate=40mbit delay=40ms jitter=5ms queue=200ms schedule=0s:40mbit,2s:10mbit,4s:25mbit,6s:5mbit period=8s|30000 20000|>= 1 x bundle"
)

aggregate() {
  local seconds=10 cells='' word
  take_options "$@"
  [ -z "$short" ] || { seconds=1; cells=1; }
  set -- "${rest[@]}"
  while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || usage
    case $1 in --seconds) seconds=$2 ;; --cells) cells=$2 ;; *) usage ;; esac
    shift 2
  done
  defaults 3 "uplink1 uplink2 bundle braid"
  start_lab
  local round way to index name one two rates aim
  for index in ${cells:-$(seq ${#aggregate_cells[@]})}; do
    IFS='|' read -r name one two rates aim <<<"${aggregate_cells[index - 1]}"
    links "$one" "$two"
    for ((round = 1; round <= rounds; ++round)); do
      for way in $ways; do
        way_up "$way"
        for to in down up; do aggregate_one "$name" "$way" "$to" "$seconds" "$aim" $rates; done
        way_down "$way"
      done
    done
  done
  finish
}

# aggregate_one CELL WAY up|down SECONDS AIM KBIT1 KBIT2
aggregate_one() {
  local kbit=$(($6 + $7)) rate file=$LAB_DIR/bulk.json before; before=$(lab_carried "$3")
  case $2 in *1) kbit=$6 ;; *2) kbit=$7 ;; esac
  bulk lan "$3" $((kbit * 125 * $4)) "$file" $((2 * $4)) || lab_fail "aggregate $1 $2 $3"
  whole "$file" "$1, $2, $3"
  rate=$(of "$file" 'd["bytes"] * 8e-6 / (d["end"] - d["begin"])')
  record aggregate "$1" "$(direction_name "$3")" Mbit/s "$2" "$rate" more "$5"
  # Of every 1500 bytes 1420 are payload: IPv4 and TCP headers, timestamps and a DSS.
  [[ $2 != braid* ]] || record aggregate "$1" "$(direction_name "$3")" Mbit/s ceiling "$((($6 + $7) * 142 / 150))e-3" more "$5"
  say "aggregate: $1 to $(direction_name "$3"), $2: $rate Mbit/s, uplinks' shares $(lab_shares "$before" "$(lab_carried "$3")") %"
}
