# shellcheck shell=bash disable=SC2034
# scale, over unshaped links: what an idle connection costs the processes of each role in memory (resident
# bytes) and the kernel (unreclaimable slab of the whole machine, the LAN host's and the server's sockets
# included: uplink1 shows how much these are); goodput of one bulk transfer alone and among the idle
# ones; connections per second.

scale() {
  local idle=20000 seconds=4 round way
  take_options "$@"
  [ -z "$short" ] || { idle=200; seconds=1; }
  set -- "${rest[@]}"
  while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || usage
    case $1 in --idle) idle=$2 ;; --seconds) seconds=$2 ;; *) usage ;; esac
    shift 2
  done
  defaults 1 "uplink1 relay bundle braid"
  LAB_LINK1=none LAB_LINK2=none
  start_lab
  scale_prepare
  for ((round = 1; round <= rounds; ++round)); do
    for way in $ways; do
      way_up "$way"
      scale_one "$way"
      way_down "$way"
    done
  done
  finish
}

# A process has a limited number of descriptors, and one server address a limited number of ports to come
# from: several servers, some on their own ports, share the idle connections.
scale_prepare() {
  holders=$((idle / 5000 + 1))
  local host i
  for host in lan gw conc; do lab_in $host sysctl -qw net.ipv4.ip_local_port_range="10000 60999"; done
  for ((i = 1; i <= holders; ++i)); do
    lab_spawn srv "hold-server-$i.log" "$LAB_PYTHON" "$meter" server $((server_port + i))
    lab_wait_until 10 grep -q listening "$LAB_DIR/hold-server-$i.log" || lab_fail "$(cat "$LAB_DIR/hold-server-$i.log")"
  done
  # An uplink of braid's has as many subflows as ports.
  sed -i '$a ports: 20000-64999' "$LAB_DIR/gateway.yaml"
}

# Resident bytes of a namespace's processes; shared pages are counted once.
resident() { # NAMESPACE
  local pid
  for pid in $(ip netns pids "$(lab_ns "$1")"); do cat "/proc/$pid/smaps_rollup" 2>/dev/null; done |
    awk '/^Pss:/ { sum += $2 } END { print sum * 1024 }'
}
slab() { awk '/^SUnreclaim:/ { print $2 * 1024 }' /proc/meminfo; }
memory_now() { echo "$(resident gw) $(resident conc) $(slab)"; }

scale_one() { # WAY
  local alone among before after held file=$LAB_DIR/scale.json
  in_lan fetch "$LAB_SERVER4" $server_port 1 20 >"$file" || lab_fail "scale, $1: fetch"
  scale_rate "$1"
  alone=$(scale_bulk "$1") || exit 1
  before=$(memory_now)
  scale_hold || say "scale: $1 does not hold $idle connections: $(cat "$LAB_DIR"/hold-*.out)"
  sleep 1
  after=$(memory_now)
  held=$(cat "$LAB_DIR"/hold-*.out | "$LAB_PYTHON" -c 'import json, sys; print(sum(json.loads(l)["held"] for l in sys.stdin))')
  record scale "$idle idle" - "held" "$1" "$held" more ">= $idle"
  # shellcheck disable=SC2086
  scale_memory "$1" "$held" $before $after
  if among=$(scale_bulk "$1"); then
    record scale "$idle idle" LAN "bulk among / alone" "$1" "$(awk -v a="$among" -v b="$alone" 'BEGIN { print a / b }')" more ">= 0.9"
    say "scale: $1: $held held; bulk alone $alone, among them $among Gbit/s"
  fi
  scale_release
}

scale_memory() { # WAY HELD GW CONC SLAB GW CONC SLAB
  local what index=0 figures=("${@:3}") bytes
  for what in gateway concentrator slab; do
    bytes=$(awk -v before="${figures[index]}" -v after="${figures[index + 3]}" -v n="$2" 'BEGIN { printf "%.0f", (after - before) / (n + !n) }')
    record scale "$idle idle" - "bytes each, $what" "$1" "$bytes" less "$([ $what = slab ] || echo "<= 4096")"
    say "scale: $1: $bytes bytes for each idle connection, $what"
    index=$((index + 1))
  done
}

scale_rate() { # WAY
  local file=$LAB_DIR/rate.json
  in_lan rate "$LAB_SERVER4" $server_port "$seconds" 64 >"$file" || lab_fail "scale, $1: rate"
  record scale "new connections" - "per second" "$1" "$(of "$file" 'd["per_second"]')" more ">= 1 x bundle"
  say "scale: $1: $(cat "$file") new connections"
}

# Gbit/s of one download.
scale_bulk() { # WAY
  local file=$LAB_DIR/bulk.json
  lab_in srv iperf3 -s -1 -D --pidfile "$LAB_DIR/iperf3.pid" && sleep 0.3
  if lab_in lan timeout $((seconds + 20)) iperf3 -c "$LAB_SERVER4" -t "$seconds" -R -J >"$file" 2>&1 &&
    of "$file" 'd["end"]["sum_received"]["bits_per_second"] / 1e9' 2>/dev/null; then return; fi
  say "scale, $1: no bulk transfer: $(grep -E '"error"|^Terminated' "$file")"
  [ ! -e "$LAB_DIR/iperf3.pid" ] || kill "$(tr -d '\0' <"$LAB_DIR/iperf3.pid")" 2>/dev/null
  return 1
}

# The holders let go when the pipe they read is closed.
scale_hold() {
  local i pids=() share=$((idle / holders))
  rm -f "$LAB_DIR"/hold-*.out "$LAB_DIR/hold.pipe"
  mkfifo "$LAB_DIR/hold.pipe"
  for ((i = 1; i <= holders; ++i)); do
    [ "$i" -lt "$holders" ] || share=$((idle - (holders - 1) * (idle / holders)))
    lab_in lan "$LAB_PYTHON" "$meter" hold "$LAB_SERVER4" $((server_port + i)) "$share" \
      <"$LAB_DIR/hold.pipe" >"$LAB_DIR/hold-$i.out" 2>"$LAB_DIR/hold-$i.err" &
    LAB_PIDS+=($!)
  done
  exec 9>"$LAB_DIR/hold.pipe"
  lab_wait_until 120 scale_all_told && ! grep -qv '"failed": 0' "$LAB_DIR"/hold-*.out
}
scale_all_told() { [ "$(cat "$LAB_DIR"/hold-*.out | wc -l)" -ge "$holders" ]; }
scale_release() {
  exec 9>&-
  lab_wait_until 20 scale_released || lab_fail "the idle connections' holders do not end"
}
scale_released() { ! pgrep -f "$meter hold $LAB_SERVER4" >/dev/null; }
