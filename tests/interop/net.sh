# What the interop tests share: two hosts, two cables, our stack on one, the kernel's on the other.
#
#   us   a1 10.91.0.1 fd00:91::1 ------ 10.91.0.2 fd00:91::2 b1   kern
#        a2 10.92.0.1 fd00:92::1 ------ 10.92.0.2 fd00:92::2 b2   lo: 10.90.0.5 fd00:90::5
#
# Source it, then net_up. The kernel's address 10.90.0.5 is reached over both cables. With
# INTEROP_CAPTURES set to a directory, what passes the cables is kept there.

. "$(dirname "${BASH_SOURCE[0]}")/../lab/topology.sh"
INTEROP=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
MPTCP_PEER=${MPTCP_PEER:-$LAB_ROOT/build/release/mptcp_peer}
LAB_NAMES="us kern"
LAB_PREFIX=braid-lab-$$
PORT=8900
BULK=${INTEROP_BULK:-20000000}  # bytes of each direction where speed is no matter

# Counters of the kernel that say it did not like us.
COMPLAINTS="MPCapableFallbackACK MPCapableFallbackSYNACK MPCapableSYNTXDrop MPFallbackTokenInit
  MPCapableDataFallback MPJoinNoTokenFound MPJoinSynAckHMacFailure MPJoinAckHMacFailure
  MPJoinRejected DSSNotMatching InfiniteMapTx InfiniteMapRx DSSNoMatchTCP DataCsumErr NoDSSInWindow
  DSSCorruptionFallback DSSCorruptionReset DssFallback SimultConnectFallback FallbackFailed
  MPFailTx MPFailRx"

net_require() {
  local tool
  [ "$(id -u)" = 0 ] || lab_cannot "needs root"
  for tool in ip ethtool nft sysctl nstat python3 tcpdump tshark; do
    command -v "$tool" >/dev/null || lab_cannot "no $tool (tools/setup installs it)"
  done
  [ -x "$MPTCP_PEER" ] || lab_cannot "no $MPTCP_PEER (build the release preset)"
  [ -e /proc/sys/net/mptcp/enabled ] || lab_cannot "this kernel has no MPTCP"
}

# net_up: fresh namespaces, routes, captures.
net_up() {
  net_require
  trap 'capture_end; lab_down' EXIT  # what was captured is wanted most when a test failed
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  LAB_DIR=$(mktemp -d)
  net_fresh
}

# Another pair of namespaces: counters and caches as new.
net_fresh() {
  local pid name
  for pid in "${LAB_PIDS[@]}"; do kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; done
  LAB_PIDS=()
  for name in $LAB_NAMES; do lab_remove_ns "$(lab_ns "$name")"; lab_make_ns "$name"; done
  {
    lab_cable us a1 kern b1 && lab_cable us a2 kern b2 &&
      lab_address us a1 10.91.0.1/24 fd00:91::1/64 && lab_address us a2 10.92.0.1/24 fd00:92::1/64 &&
      lab_address kern b1 10.91.0.2/24 fd00:91::2/64 && lab_address kern b2 10.92.0.2/24 fd00:92::2/64 &&
      lab_address kern lo 10.90.0.5/32 fd00:90::5/128 && net_routes
  } || lab_fail "the topology"
  lab_in kern sysctl -qw net.mptcp.enabled=1 net.mptcp.blackhole_timeout=0 net.mptcp.add_addr_timeout=1
  lab_in kern ip mptcp limits set subflows 4 add_addr_accepted 4
}

# Everything is reached over both cables; a socket, an endpoint or a door bound to one takes that.
net_routes() {
  local n
  for n in 1 2; do
    ip -n "$(lab_ns us)" route add default via "10.9$n.0.2" dev "a$n" metric "${n}00" &&
      ip -n "$(lab_ns us)" route add default via "fd00:9$n::2" dev "a$n" metric "${n}00" &&
      ip -n "$(lab_ns kern)" route add default via "10.9$n.0.1" dev "b$n" metric "${n}00" &&
      ip -n "$(lab_ns kern)" route add default via "fd00:9$n::1" dev "b$n" metric "${n}00" ||
      return 1
  done
}

# net_addresses 4|6: sets US1 US2 KERN1 KERN2 KERN (on both cables) ANY of that family.
net_addresses() {
  if [ "$1" = 4 ]; then
    ANY=0.0.0.0 US1=10.91.0.1 US2=10.92.0.1 KERN1=10.91.0.2 KERN2=10.92.0.2 KERN=10.90.0.5
  else
    ANY=:: US1=fd00:91::1 US2=fd00:92::1 KERN1=fd00:91::2 KERN2=fd00:92::2 KERN=fd00:90::5
  fi
}

# An address as reports print it before a port.
bracket() { case $1 in *:*) echo "[$1]" ;; *) echo "$1" ;; esac; }

# capture NAME: from now on both cables, until the next capture or the end.
capture() {
  [ -n "${INTEROP_CAPTURES-}" ] || return 0
  capture_end
  ip netns exec "$(lab_ns us)" tcpdump --immediate-mode -Z root -U -s 300 -B 16384 -i any -w "$INTEROP_CAPTURES/$1.pcap" tcp \
    2>"$LAB_DIR/tcpdump.log" &
  CAPTURE_PID=$!
  LAB_PIDS+=("$CAPTURE_PID")
  lab_wait_until 10 grep -q 'listening on' "$LAB_DIR/tcpdump.log" || lab_fail "tcpdump: $(cat "$LAB_DIR/tcpdump.log")"
}
capture_end() {
  [ -n "${CAPTURE_PID-}" ] || return 0
  sleep 0.1
  kill "$CAPTURE_PID" 2>/dev/null
  wait "$CAPTURE_PID" 2>/dev/null
  CAPTURE_PID=
}

# The kernel takes part in no join once its user has shut down: kernel_peer holds its bytes until a
# join has happened when given "${UNTIL_JOINED[@]}".
JOINS_SEEN='nstat -asz MPTcpExtMPJoinAckRx MPTcpExtMPJoinSynAckRx | awk "{ n += \$2 } END { print n + 0 }"'
UNTIL_JOINED=(--step "1000:for i in \$(seq 200); do [ \$($JOINS_SEEN) -ge 1 ] && break; sleep 0.02; done")

# A file of random bytes; SIZE may be 0.
random_file() { head -c "$2" /dev/urandom >"$LAB_DIR/$1"; }

# start_us LOG ARGUMENT..., start_kernel LOG ARGUMENT...: in the background, until each says "ready".
# Their ids: US_PID, KERNEL_PID.
start_us() {
  local log=$1; shift
  rm -f "$LAB_DIR/$log"
  lab_spawn us "$log" "$MPTCP_PEER" "$@"
  US_PID=$LAB_LAST_PID
  net_ready "$log" "$US_PID"
}
start_kernel() {
  local log=$1; shift
  rm -f "$LAB_DIR/$log"
  lab_spawn kern "$log" python3 "$INTEROP/kernel_peer.py" "$@"
  KERNEL_PID=$LAB_LAST_PID
  [ "$1" = connect ] || net_ready "$log" "$KERNEL_PID"
}
net_ready() {
  lab_wait_until 10 sh -c "grep -q '^ready' '$LAB_DIR/$1' || ! kill -0 $2" &&
    grep -q '^ready' "$LAB_DIR/$1" || lab_fail "$1: $(cat "$LAB_DIR/$1")"
}

# finish WHO LOG PID: its end must be a good one.
finish() {
  wait "$3" || lab_fail "$WHAT: $1 failed with status $?: $(tr '\n' ' ' <"$LAB_DIR/$2")"
}

# value LOG KEY: one figure of a report.
value() { sed -n "s/^$2=//p" "$LAB_DIR/$1" | head -1; }
# expect LOG KEY VALUE
expect() {
  [ "$(value "$1" "$2")" = "$3" ] ||
    lab_fail "$WHAT: $1 says $2=$(value "$1" "$2"), not $3: $(tr '\n' ' ' <"$LAB_DIR/$1")"
}
same() { cmp -s "$LAB_DIR/$1" "$LAB_DIR/$2" || lab_fail "$WHAT: $2 differs from $1 ($(stat -c %s "$LAB_DIR/$1" "$LAB_DIR/$2" | tr '\n' ' ')bytes)"; }

# counter NAME: of the kernel side, since its namespace exists.
counter() { lab_in kern nstat -asz "MPTcpExt$1" 2>/dev/null | awk -v n="MPTcpExt$1" '$1 == n { print $2; f = 1 } END { if (!f) print 0 }'; }
# at_least COUNTER NUMBER
at_least() {
  local n; n=$(counter "$1")
  [ "$n" -ge "$2" ] || lab_fail "$WHAT: the kernel counts $1 $n, not $2 or more: $(all_counters)"
}
all_counters() { lab_in kern nstat -as 'MPTcpExt*' 2>/dev/null | awk 'NR > 1 { sub("MPTcpExt", "", $1); printf "%s=%s ", $1, $2 }'; }
# no_complaints [EXCEPT...]: no counter that says the kernel did not like us has moved.
no_complaints() {
  local seen
  seen=$(lab_in kern nstat -as 'MPTcpExt*' | awk -v names="$COMPLAINTS" -v except="$*" '
    BEGIN { split(names, a, /[ \n]+/); for (i in a) bad[a[i]] = 1; split(except, b, " "); for (i in b) delete bad[b[i]] }
    { sub("MPTcpExt", "", $1); if ($1 in bad && $2 > 0) printf "%s=%s ", $1, $2 }')
  [ -z "$seen" ] || lab_fail "$WHAT: the kernel complains: $seen(all: $(all_counters))"
}
