#!/bin/bash
# The host braid runs on stays whole, and so does what it carries for others: after a kill -9, for
# connections that are not braid's, with hardened settings, small MTUs and odd ports.
#   host_test.sh [CASE...]    all by default
set -u
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/traffic.sh"

# A connection that is older than braid; it must be alive when all else is over.
old_connection_starts() {
  lab_masquerade on
  lab_listen 70 recv:1 send:1000 recv:100000 close
  lab_connect_later old $LAB_SERVER4 70 send:1 recv:1000 sleep:"$1" send:100000 recv-eof
  lab_heard old '^connected' || lab_fail "the old connection"
  lab_wait_until 5 lab_in srv sh -c 'ss -Htn state established sport = :70 | grep -q .' || lab_fail "the old connection"
}
old_connection_lives() {
  lab_heard old '^done' 15 || lab_fail "a connection older than braid: $(cat "$LAB_DIR/old")"
  ! grep -q ' 198.51.100.1 ' "$LAB_DIR/listen-70.log" || lab_fail "the old connection was not the kernel's"
  lab_masquerade off
}

# Neither the table nor a rule stays that cuts the host off; what is left hands over to the main table.
case_killed() {
  local host
  kill -9 "$LAB_GATEWAY" "$LAB_CONCENTRATOR"
  for host in gw conc; do
    lab_wait_until 3 lab_in $host sh -c '! nft list table inet braid' || lab_fail "the table outlives braid in $host"
    lab_wait_until 3 lab_in $host sh -c '! ip link show braid0' || lab_fail "the TUN outlives braid in $host"
  done
  lab_in gw curl -gsS -m 5 -o /dev/null "http://$LAB_SERVER4/small" || lab_fail "the gateway host is cut off (IPv4)"
  lab_in gw curl -gsS -m 5 -o /dev/null "http://[$LAB_SERVER6]/small" || lab_fail "the gateway host is cut off (IPv6)"
  lab_in conc curl -gsS -m 5 -o /dev/null "http://$LAB_SERVER4/small" || lab_fail "the concentrator host is cut off"
  lab_masquerade on
  [ "$(lab_who)" = 10.1.0.2 ] || lab_fail "after kill -9 a LAN host does not get the kernel's way"
  lab_masquerade off
  # Both at once, and at once, and once more with the corpses still warm.
  lab_bond
  lab_fetch small || lab_fail "a restart after kill -9 does not work"
  kill -9 "$LAB_GATEWAY" "$LAB_CONCENTRATOR"
  lab_bond
  lab_fetch small || lab_fail "a restart straight after kill -9 does not work"
  for host in gw conc; do
    [ "$(lab_in $host ip rule | sort | uniq -d | wc -l)" = 0 ] || lab_fail "rules twice after a restart in $host"
  done
}

# Servers in the LAN, reached from outside: IPv4 by the host's own DNAT, IPv6 plainly.
case_inbound() {
  lab_in gw nft 'add table ip fw; add chain ip fw in { type nat hook prerouting priority dstnat; }; add rule ip fw in iifname { "wan1", "wan2" } tcp dport 8080 dnat to 192.168.77.2:8080'
  lab_in net ip route add fd00:77::/64 via fd00:1::2
  lab_spawn lan lan-server.log "$LAB_PYTHON" "$LAB_PEER" listen 8080 recv:3000 send:300000 shut recv-eof
  lab_heard lan-server.log listening || lab_fail "the server in the LAN"
  local way
  for way in "10.1.0.2" "10.2.0.2" "fd00:77::2"; do
    lab_in net "$LAB_PYTHON" "$LAB_PEER" connect "$way" 8080 send:3000 recv:300000 shut recv-eof >"$LAB_DIR/inbound" ||
      lab_fail "a connection to a LAN server by $way: $(cat "$LAB_DIR/inbound")"
    echo "inbound by $way: $(tail -1 "$LAB_DIR/inbound")"
  done
  lab_in gw nft delete table ip fw
}

# A second LAN subnet behind the gateway: what passes between the two stays with the kernel.
case_two_lans() {
  lab_cable em lan2 gw lan1
  lab_in gw sh -c 'ip addr add 192.168.78.1/24 dev lan1; ip addr add fd00:78::1/64 dev lan1 nodad'
  lab_in em sysctl -qw net.ipv6.conf.lan2.disable_ipv6=0
  lab_in em sh -c 'ip addr add 192.168.78.2/24 dev lan2; ip addr add fd00:78::2/64 dev lan2 nodad
    ip route add 192.168.77.0/24 via 192.168.78.1; ip route add fd00:77::/64 via fd00:78::1'
  lab_spawn em lan2.log "$LAB_PYTHON" "$LAB_PEER" listen 8081 recv-eof send:300000 shut
  lab_heard lan2.log listening || lab_fail "the server in the second LAN"
  local host
  for host in 192.168.78.2 fd00:78::2; do
    lab_connect $host 8081 send:300000 shut recv-eof >"$LAB_DIR/two" || lab_fail "between two LAN subnets, $host: $(cat "$LAB_DIR/two")"
  done
  [ "$(grep -Ec 'accepted (192.168.77.2|fd00:77::2) ' "$LAB_DIR/lan2.log")" = 2 ] ||
    lab_fail "another address between LANs: $(cat "$LAB_DIR/lan2.log")"
}

# Source ports of every size, braid's own among them.
case_source_ports() {
  lab_listen 71 recv:10000 send:10000 shut recv-eof
  local port
  for port in 1024 2048 8803 9999 20000 32768 49152 60999 61000 61500 63000 64999 65000 65535; do
    lab_connect source=$port timeout=5 $LAB_SERVER4 71 send:10000 recv:10000 shut recv-eof >"$LAB_DIR/port" ||
      lab_fail "a client with source port $port: $(cat "$LAB_DIR/port")"
  done
  lab_connect source=61001 timeout=5 $LAB_SERVER6 71 send:10000 recv:10000 shut recv-eof >"$LAB_DIR/port" ||
    lab_fail "a client with source port 61001, IPv6: $(cat "$LAB_DIR/port")"
}

# A client whose interface takes less than the gateway's: its MSS says so; a tunnel between them does
# not, and answers with ICMP (PMTU).
case_small_mtu() {
  local mtu host
  for mtu in 1400 1280; do
    lab_in lan ip link set eth0 mtu $mtu
    for host in $LAB_SERVER4 $LAB_SERVER6; do
      lab_fetch middle $host || lab_fail "a download with MTU $mtu in the LAN, $host"
      lab_send middle $host || lab_fail "an upload with MTU $mtu in the LAN, $host"
    done
  done
  lab_in lan ip link set eth0 mtu 1500
  # An MTU of the route that only a router knows: a hop between gateway and client.
  lab_in gw ip route add 192.168.79.0/24 via 192.168.77.2
  lab_cable lan tun0 em tun1
  lab_in lan sysctl -qw net.ipv4.ip_forward=1
  lab_in lan sh -c 'ip link set tun0 mtu 1300; ip addr add 192.168.79.1/24 dev tun0'
  lab_in em sh -c 'ip addr add 192.168.79.2/24 dev tun1; ip route add 198.51.100.0/24 via 192.168.79.1'
  lab_in em curl -gsS -m 15 -o "$LAB_DIR/far" "http://$LAB_SERVER4/middle" || lab_fail "a download behind a router with a smaller MTU"
  cmp "$LAB_DIR/far" "$LAB_DIR/www/middle" || lab_fail "wrong bytes behind a router with a smaller MTU"
}

# rp_filter everywhere and a forward chain of policy drop, as a careful admin leaves them: it works, or a
# line says what to type, and after that it works.
case_hardened() {
  lab_stop "$LAB_GATEWAY" 5
  lab_stop "$LAB_CONCENTRATOR" 5
  local ns command
  for ns in gw conc; do
    lab_in $ns sh -c 'for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 1 >$f; done'
    lab_in $ns nft 'add table inet filter; add chain inet filter forward { type filter hook forward priority 0; policy drop; }; add rule inet filter forward ct state established,related accept'
  done
  lab_in gw nft 'add rule inet filter forward iifname "lan0" oifname { "wan1", "wan2" } accept'
  lab_in conc nft 'add rule inet filter forward iifname "eth0" oifname "srv0" accept; add rule inet filter forward iifname "srv0" oifname "eth0" accept'
  lab_bond
  for ns in gateway concentrator; do
    grep -c 'nft insert rule inet filter forward' "$LAB_DIR/$ns.log" | grep -qx 1 ||
      lab_fail "$ns: not one line about the forward chain: $(cat "$LAB_DIR/$ns.log")"
  done
  # What the line says, to the letter.
  while read -r ns log; do
    grep -o 'nft insert rule [^;]*' "$LAB_DIR/$log" | while read -r command; do
      lab_in "$ns" sh -c "$command" || lab_fail "the advice does not work: $command"
    done
  done <<<"gw gateway.log
conc concentrator.log"
  local host
  for host in $LAB_SERVER4 $LAB_SERVER6; do
    lab_fetch middle $host || lab_fail "a download on a hardened host, $host"
    lab_send middle $host || lab_fail "an upload on a hardened host, $host"
    lab_in lan ping -qc 1 -W 2 $host >/dev/null || lab_fail "ping on a hardened host, $host"
  done
  [ "$(lab_who)" = 198.51.100.1 ] || lab_fail "not bonded on a hardened host"
}

cases=("$@")
[ $# -gt 0 ] || cases=(killed inbound two_lans source_ports small_mtu hardened)
lab_require python3
lab_up
lab_nginx
lab_configs
lab_file small 1000
lab_file middle 1500000
old_connection_starts 6
lab_bond
for name in "${cases[@]}"; do
  begin=$SECONDS
  "case_$name"
  echo "-- $name: $((SECONDS - begin)) s"
  [ "$name" != "${cases[0]}" ] || old_connection_lives
done
