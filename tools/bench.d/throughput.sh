# shellcheck shell=bash disable=SC2034
# throughput: iperf3 over unshaped links (plain veths), each direction: Gbit/s, CPU-seconds of the whole
# machine per GB (kernel work included), and of each role's processes.

throughput() {
  local seconds=4 connections="1 16 100" round way count
  take_options "$@"
  [ -z "$short" ] || { seconds=1; connections=1; }
  set -- "${rest[@]}"
  while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || usage
    case $1 in --seconds) seconds=$2 ;; --connections) connections=$2 ;; *) usage ;; esac
    shift 2
  done
  defaults 3 "uplink1 relay bundle braid1 braid"
  LAB_LINK1=none LAB_LINK2=none
  start_lab
  lab_spawn srv iperf-server.log iperf3 -s
  lab_wait_until 5 lab_in srv sh -c "ss -ltn | grep -q :5201" || lab_fail "no iperf3 server"
  for ((round = 1; round <= rounds; ++round)); do
    for way in $ways; do
      way_up "$way"
      for count in $connections; do
        for to in down up; do throughput_one "$way" "$count" $to; done
      done
      way_down "$way"
    done
  done
  finish
}

# The machine's busy clock ticks, then those of the processes in gw and in conc.
ticks() {
  local host
  awk '/^cpu / { print $2 + $3 + $4 + $7 + $8 }' /proc/stat
  for host in gw conc; do
    # A name in brackets may hold blanks: the fields are counted from behind it.
    for pid in $(ip netns pids "$(lab_ns $host)"); do sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null; done |
      awk '{ sum += $12 + $13 } END { print sum + 0 }'
  done
}

throughput_one() { # WAY COUNT up|down
  local reverse=() before after file=$LAB_DIR/iperf.json pid
  [ "$3" = up ] || reverse=(-R)
  mapfile -t before < <(ticks)
  lab_in lan timeout $((seconds + 20)) iperf3 -c "$LAB_SERVER4" -P "$2" -t "$seconds" -J "${reverse[@]}" >"$file" 2>"$file.err" ||
    lab_fail "iperf3, $1, $3: $(tail -n 3 "$file" "$file.err")"
  mapfile -t after < <(ticks)
  local gigabytes row="$2 connection(s)" to what index=0 spent; to=$(direction_name "$3")
  gigabytes=$(of "$file" 'd["end"]["sum_received"]["bytes"] / 1e9')
  record throughput "$row" "$to" "Gbit/s" "$1" "$(of "$file" 'd["end"]["sum_received"]["bits_per_second"] / 1e9')" more ">= 1 x bundle"
  for what in "machine" "gateway" "concentrator"; do
    spent=$(awk -v t=$((after[index] - before[index])) -v hz="$(getconf CLK_TCK)" -v gb="$gigabytes" 'BEGIN { print t / hz / gb }')
    record throughput "$row" "$to" "CPU s/GB, $what" "$1" "$spent" less "$([ "$what" = machine ] || echo "<= 0.8")"
    index=$((index + 1))
  done
  say "throughput: $row to $to, $1: $(of "$file" '"%.2f Gbit/s" % (d["end"]["sum_received"]["bits_per_second"] / 1e9)')"
}
