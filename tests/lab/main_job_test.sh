#!/bin/bash
# The main job: one download and one upload over both uplinks at once, byte for byte, for clients of
# both families; other traffic beside it; and a SIGTERM that lets what runs finish, sends what is new
# the kernel's way, and leaves the host as it was.
set -u
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/traffic.sh"
lab_require python3
lab_up
lab_nginx
lab_configs
lab_file file 20000000
lab_spawn srv udp.log "$LAB_PYTHON" "$LAB_PEER" udp-echo 9999
# So that there is something to restore.
lab_in gw sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0 \
  net.ipv4.ip_local_reserved_ports=8000-8010
lab_in conc sysctl -qw net.ipv6.conf.all.forwarding=0 && lab_in conc sysctl -qw net.ipv6.conf.all.forwarding=1
lab_snapshot gw >"$LAB_DIR/gw.before"
lab_snapshot conc >"$LAB_DIR/conc.before"
lab_bond

# both_carried WHAT up|down BEFORE: each uplink took at least half of its part of the ceiling (62, 38).
both_carried() {
  local shares; shares=$(lab_shares "$3" "$(lab_carried "$2")")
  echo "$1: dsl and lte carried $shares %"
  read -r dsl lte <<<"$shares"
  [ "$dsl" -ge 31 ] && [ "$lte" -ge 19 ] || lab_fail "$1: not over both uplinks: $shares %"
}

for host in "$LAB_SERVER4" "$LAB_SERVER6"; do
  before=$(lab_carried down)
  got=$(lab_fetch file "$host") || lab_fail "download from $host"
  both_carried "download from $host, $(lab_mbits "$got") Mbit/s" down "$before"
  before=$(lab_carried up)
  got=$(lab_send file "$host") || lab_fail "upload to $host"
  both_carried "upload to $host, $(lab_mbits "$got") Mbit/s" up "$before"
done
[ "$(lab_who)" = 198.51.100.1 ] || lab_fail "the server sees $(lab_who), not the concentrator"
[ "$(lab_who $LAB_SERVER6)" = 2001:db8:6::1 ] || lab_fail "the server sees $(lab_who $LAB_SERVER6)"

for host in "$LAB_SERVER4" "$LAB_SERVER6"; do
  lab_in lan ping -qc 2 -i 0.1 -W 2 "$host" || lab_fail "ping $host"
  lab_in lan "$LAB_PYTHON" "$LAB_PEER" udp-ask "$host" 9999 || lab_fail "UDP to $host"
done

# An uplink goes silent: what is new and what is not TCP finds the other one.
lab_link_down dsl
lab_fetch file || lab_fail "download with dsl down"
lab_wait_until 10 lab_in lan ping -qc 1 -W 1 $LAB_SERVER4 || lab_fail "ping does not follow to lte"
lab_link_up dsl

# SIGTERM in the middle of a download.
lab_fetch file >"$LAB_DIR/draining" &
download=$!
sleep 0.7
kill "$LAB_GATEWAY"
lab_heard gateway.log 'draining, [1-9]' || lab_fail "no drain: $(tail -2 "$LAB_DIR/gateway.log")"
case $(lab_who) in 10.[12].0.2) ;; *) lab_fail "while draining the server sees $(lab_who)" ;; esac
kill -0 "$download" 2>/dev/null || lab_fail "the download did not outlast the new connection"
wait "$download" || lab_fail "the download did not survive SIGTERM"
lab_wait_until 10 lab_is_gone "$LAB_GATEWAY" || lab_fail "the gateway does not end when it has drained"
lab_stop "$LAB_CONCENTRATOR" 10
for ns in gw conc; do
  lab_snapshot $ns | diff "$LAB_DIR/$ns.before" - || lab_fail "$ns is not what it was before braid"
done
