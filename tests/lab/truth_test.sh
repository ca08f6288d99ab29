#!/bin/bash
# What a LAN client is told is the truth: refused, unreachable, silent and vanishing servers, resets and
# half-closes look as they do on a direct path; and uplinks with a middlebox's habits carry on.
#   truth_test.sh [CASE...]    all by default
set -u
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/traffic.sh"

# expect WHAT REGEX OUTPUT [MOST-MS]: the last line of OUTPUT, "... N ms".
expect() {
  local last=${3##*$'\n'} ms
  grep -Eq "$2" <<<"$last" || lab_fail "$1: '$last' is not '$2'"
  ms=${last% ms}; ms=${ms##* }
  [ -z "${4-}" ] || [ "$ms" -le "$4" ] || lab_fail "$1: took $ms ms, expected at most $4"
  echo "$1: $last"
}

# A round trip over dsl takes 20 ms, and the truth of a refusal one of them; the rest is for a busy
# machine. An address without a host is known after the kernel's three ARP questions, 3 s.
readonly two_round_trips=40 busy=60

case_refused() {
  local host
  for host in $LAB_SERVER4 $LAB_SERVER6; do
    expect "a closed port of $host" '^refused ' "$(lab_connect "$host" 81)" $((two_round_trips + busy))
  done
}

case_unreachable() {
  local log
  lab_in conc ip route add unreachable 192.0.2.0/25
  lab_in conc ip route add prohibit 192.0.2.128/25
  lab_in conc ip route add unreachable 2001:db8:7::/64
  lab_in conc ip route add prohibit 2001:db8:8::/64
  lab_connect_later nohost4 timeout=10 198.51.100.99 80
  lab_connect_later nohost6 timeout=10 2001:db8:6::99 80
  expect "unreachable" '^host-unreachable ' "$(lab_connect 192.0.2.1 80)" $((two_round_trips + busy))
  # Linux reads the IPv4 code 13 as host unreachable; IPv6 has a word of its own.
  expect "prohibited" '^host-unreachable ' "$(lab_connect 192.0.2.129 80)" $((two_round_trips + busy))
  expect "no route, IPv6" '^(net|host)-unreachable ' "$(lab_connect 2001:db8:7::1 80)" $((two_round_trips + busy))
  expect "prohibited, IPv6" '^prohibited ' "$(lab_connect 2001:db8:8::1 80)" $((two_round_trips + busy))
  for log in nohost4 nohost6; do
    lab_heard $log ' ms$' 6 || lab_fail "$log: nothing within 6 s"
    expect "an address without a host ($log)" '^host-unreachable ' "$(cat "$LAB_DIR/$log")" 3700
  done
}

# The client's own clock ends it, the server saw one connection attempt, and dsl is still the first choice.
# The concentrator's verdict comes in a packet of its own behind the SYN-ACK. While that packet is lost,
# nothing is accepted.
case_reply_lost() {
  local port want
  for port in 81 80; do
    want=refused; [ "$port" = 81 ] || want=done
    lab_in net nft 'add table inet reply; add chain inet reply pass { type filter hook forward priority 0; }; add rule inet reply pass iifname "core" tcp sport 8803 tcp flags & (syn|psh) == psh counter drop'
    lab_connect_later "reply$port" $LAB_SERVER4 $port
    sleep 0.5
    [ ! -s "$LAB_DIR/reply$port" ] || lab_fail "told '$(cat "$LAB_DIR/reply$port")' before the reply was in"
    lab_in net nft list table inet reply | grep -q 'packets [1-9]' || lab_fail "no reply was lost"
    lab_in net nft delete table inet reply
    lab_heard "reply$port" "^$want " 5 || lab_fail "after a lost reply: $(cat "$LAB_DIR/reply$port")"
    expect "port $port, its reply lost for 500 ms" "^$want " "$(cat "$LAB_DIR/reply$port")" 3000
  done
}

case_silent() {
  lab_in srv nft 'add table inet silent; add chain inet silent in { type filter hook input priority 0; }; add rule inet silent in tcp dport 85 drop'
  lab_spawn srv syns tcpdump -nni eth0 -l 'tcp[tcpflags] & tcp-syn != 0 and port 85'
  lab_wait_until 5 grep -q listening "$LAB_DIR/syns" || lab_fail "tcpdump"
  lab_in lan sysctl -qw net.ipv4.tcp_syn_retries=1
  local probes outcome sources
  outcome=$(lab_connect $LAB_SERVER4 85)
  lab_in lan sysctl -qw net.ipv4.tcp_syn_retries=6
  expect "a server that never answers" '^timed-out (29|3[0-9])[0-9][0-9] ' "$outcome"
  sources=$(grep -o 'IP 198.51.100.1.[0-9]*' "$LAB_DIR/syns" | sort -u | wc -l)
  [ "$sources" = 1 ] || lab_fail "a silent server saw $sources connections instead of one"
  [ "$(grep -c 'Flags \[S' "$LAB_DIR/syns")" -ge 2 ] || lab_fail "the server's SYN was not repeated with the client's"
  ! grep -q 'follows lte' "$LAB_DIR/gateway.log" || lab_fail "a path was blamed for a silent server"
  # Over lte it would take 60 ms.
  expect "the next connection" '^done ' "$(lab_connect $LAB_SERVER4 80)" 55
}

case_resets() {
  lab_listen 90 recv:1000 sleep:0.2 reset
  expect "a server that resets" 'recv:1: reset ' "$(lab_connect $LAB_SERVER4 90 send:1000 recv:1)" 600
  lab_listen 91 recv-eof
  lab_connect $LAB_SERVER4 91 send:100000 sleep:0.3 reset >/dev/null
  lab_heard listen-91.log '^recv-eof: reset ' || lab_fail "the server does not see the client's reset"
  # A reset that is lost on its way is repeated when the other end says something.
  local chain='add table inet lost; add chain inet lost out { type filter hook output priority 0; }; add rule inet lost out'
  lab_in srv nft "$chain tcp sport 90 tcp flags rst drop"
  expect "a server's lost reset" '(send|recv):1: reset ' "$(
    (sleep 0.8; lab_in srv nft delete table inet lost) &
    lab_connect $LAB_SERVER4 90 send:1000 sleep:1 send:1 recv:1)" 3000
  lab_listen 94 recv:1 trickle
  lab_in lan nft "$chain tcp dport 94 tcp flags rst drop"
  (sleep 1; lab_in lan nft delete table inet lost) &
  lab_connect $LAB_SERVER4 94 send:1 sleep:0.3 reset >/dev/null
  lab_heard listen-94.log '^trickle: reset ' || lab_fail "the server never learns of a client's lost reset"
  # Lost between the roles, with everything else of that moment.
  lab_listen 95 recv:1 sleep:0.5 reset
  lab_connect_later both $LAB_SERVER4 95 send:1 trickle
  lab_heard both '^connected' || lab_fail "no connection"
  sleep 0.2
  lab_link_down dsl; lab_link_down lte; sleep 0.8; lab_link_up dsl; lab_link_up lte
  lab_heard both '^trickle: reset ' 8 || lab_fail "a reset lost between the roles: $(cat "$LAB_DIR/both")"
  expect "a reset lost between the roles" 'reset ' "$(cat "$LAB_DIR/both")"
}

case_half_close() {
  local host
  lab_listen 92 recv-eof send:2000000 shut
  lab_listen 93 send:2000000 shut recv-eof
  for host in $LAB_SERVER4 $LAB_SERVER6; do
    expect "the client closes first, $host" '^done ' "$(lab_connect $host 92 send:2000000 shut recv-eof)" 8000
    expect "the server closes first, $host" '^done ' "$(lab_connect $host 93 recv-eof sleep:0.3 send:2000000 shut)" 8000
    expect "data in the client's SYN, $host" '^done ' "$(lab_connect $host 92 payload send:1000 send:100000 shut recv-eof)" 8000
  done
  [ "$(grep -c '^done' "$LAB_DIR/listen-93.log")" = 2 ] || lab_fail "the server did not get all: $(cat "$LAB_DIR/listen-93.log")"
}

# A client that vanishes for a while goes on where it was; its server hears nothing of it.
case_vanished() {
  lab_listen 96 recv:1 send:8000000 recv-eof
  lab_connect_later vanished $LAB_SERVER4 96 send:1 recv:8000000 close
  lab_heard vanished '^connected' || lab_fail "no connection"
  sleep 0.3
  lab_in lan ip link set eth0 down
  sleep 2
  [ "$(grep -c . "$LAB_DIR/listen-96.log")" = 2 ] || lab_fail "the server heard of it: $(cat "$LAB_DIR/listen-96.log")"
  lab_in lan ip link set eth0 up
  lab_default_route lan 192.168.77.1 2>/dev/null
  lab_in lan ip addr replace fd00:77::2/64 dev eth0 nodad
  lab_default_route lan fd00:77::1 2>/dev/null
  lab_heard vanished '^done' 15 || lab_fail "a client that came back: $(cat "$LAB_DIR/vanished")"
  expect "a client that came back" '^done ' "$(cat "$LAB_DIR/vanished")"
}

# killed BACK: with downloads, uploads and a quiet connection under way the concentrator is killed, and
# started again when BACK is "restart". Every transfer ends within 2 s of that.
case_concentrator_killed() {
  lab_listen 97 recv:1 trickle
  local i begin pids=()
  for i in 1 2 3; do
    lab_connect_later "trickle$i" $LAB_SERVER4 97 send:1 trickle
    pids+=("$LAB_LAST_PID")
    lab_spawn lan "download$i" curl -sS -m 30 -o /dev/null "http://$LAB_SERVER4/file"
    pids+=("$LAB_LAST_PID")
    lab_spawn lan "upload$i" curl -sS -m 30 -T "$LAB_DIR/www/file" "http://$LAB_SERVER4/up/killed$i"
    pids+=("$LAB_LAST_PID")
  done
  sleep 2.5  # a SYN or a reply that was lost has come by then
  kill -9 "$LAB_CONCENTRATOR"
  lab_concentrator
  begin=${EPOCHREALTIME/./}
  for i in "${pids[@]}"; do
    lab_wait_until 10 lab_is_gone "$i" || break
  done
  local took=$(((${EPOCHREALTIME/./} - begin) / 1000))
  head -v "$LAB_DIR"/trickle? "$LAB_DIR"/download? "$LAB_DIR"/upload? 
  [ "$took" -le 2000 ] || lab_fail "connections of a restarted concentrator end after $took ms only"
  echo "concentrator killed and restarted: connections ended after $took ms"
  lab_fetch small >/dev/null || lab_fail "a new connection after the restart"
}

# An uplink whose middlebox drops SYNs with payload: the other one opens, this one joins.
case_syn_payload_dropped() {
  local i got before rules='add table inet box; add chain inet box pass { type filter hook forward priority 0; };'
  for i in 5 6 7 8 9 10 11 12 13 14 15; do
    rules+="add rule inet box pass iifname up1 ip protocol 6 tcp flags & (syn|ack) == syn tcp doff $i meta length > $((20 + 4 * i)) counter drop;"
  done
  lab_in net nft "$rules"
  for i in 1 2 3; do
    got=$(lab_fetch small) || lab_fail "a connection where dsl drops SYNs with payload"
    echo "dsl drops SYNs with payload: connected after ${got% *} s"
  done
  before=$(lab_carried down)
  lab_fetch file || lab_fail "a download where dsl drops SYNs with payload"
  echo "shares: $(lab_shares "$before" "$(lab_carried down)")"
  read -r i _ <<<"$(lab_shares "$before" "$(lab_carried down)")"
  [ "$i" -ge 20 ] || lab_fail "dsl carried only $i % though it can be joined"
  # Right after other cases lte may look quicker, and dsl is asked a little later.
  for i in 1 2 3 4 5 6 7 8; do
    lab_in net nft list table inet box | grep -q 'counter packets [1-9]' && break
    sleep 1
    lab_fetch small >/dev/null || lab_fail "a connection where dsl drops SYNs with payload"
  done
  lab_in net nft list table inet box | grep -q 'counter packets [1-9]' || echo "dsl was never asked: the middlebox dropped nothing"
  lab_in net nft delete table inet box
}

case_nat_rebinding() {
  lab_in net nft 'add table inet nat; add chain inet nat out { type nat hook postrouting priority srcnat; }; add rule inet nat out iifname "up1" oifname "core" meta l4proto 6 masquerade random'
  sed -i 's/^allow: \[/allow: [ 203.0.113.1\/32,/' "$LAB_DIR/concentrator.yaml"
  # At once: the client of the silent server is waited for still.
  kill "$LAB_CONCENTRATOR"
  lab_heard concentrator.log 'draining|stopped'
  lab_is_gone "$LAB_CONCENTRATOR" || lab_stop "$LAB_CONCENTRATOR" 5
  lab_concentrator
  lab_fetch small >/dev/null || lab_fail "a connection through the NAT"
  local half dsl pid
  lab_fetch file >"$LAB_DIR/rebinding" & pid=$!
  sleep 1
  lab_in net "$LAB_PYTHON" "$LAB_PEER" forget-connections || lab_fail "conntrack"
  half=$(lab_carried down)
  wait "$pid" || lab_fail "a download does not survive a NAT that forgets"
  read -r dsl _ <<<"$(lab_shares "$half" "$(lab_carried down)")"
  echo "after the rebinding dsl carried $dsl %"
  [ "$dsl" -ge 15 ] || lab_fail "dsl was not joined again after the rebinding: $dsl %"
  lab_in net nft delete table inet nat
}

# Last: it changes the lab. wan2 gets an address beside wan1's; both ends meet in one bridge.
case_one_subnet() {
  kill "$LAB_GATEWAY"
  lab_heard gateway.log 'draining|stopped'
  lab_is_gone "$LAB_GATEWAY" || lab_stop "$LAB_GATEWAY" 5
  lab_in net sh -c 'ip addr flush dev up1; ip addr flush dev up2; ip link add br0 type bridge; ip link set br0 up
    ip link set up1 master br0; ip link set up2 master br0; ip addr add 10.1.0.1/24 dev br0; ip addr add fd00:1::1/64 dev br0 nodad'
  lab_in gw sh -c 'ip addr flush dev wan2; ip addr add 10.1.0.3/24 dev wan2; ip addr add fd00:1::3/64 dev wan2 nodad
    ip route replace default via 10.1.0.1 dev wan2 metric 200; ip -6 route replace default via fd00:1::1 dev wan2 metric 200'
  lab_gateway
  local before
  for host in $LAB_SERVER4 $LAB_SERVER6; do
    before=$(lab_carried down)
    lab_fetch file $host || lab_fail "a download with both uplinks in one subnet"
    echo "one subnet: shares $(lab_shares "$before" "$(lab_carried down)")"
    read -r dsl lte <<<"$(lab_shares "$before" "$(lab_carried down)")"
    [ "$dsl" -ge 31 ] && [ "$lte" -ge 19 ] || lab_fail "both uplinks in one subnet: dsl $dsl %, lte $lte %"
  done
}

cases=("$@")
[ $# -gt 0 ] || cases=(refused unreachable reply_lost silent resets half_close vanished concentrator_killed
  syn_payload_dropped nat_rebinding one_subnet)
lab_require python3 tcpdump
lab_up
lab_nginx
lab_configs
lab_file file 20000000
lab_file small 1000
lab_bond
for name in "${cases[@]}"; do
  begin=$SECONDS
  "case_$name"
  kill -0 "$LAB_GATEWAY" 2>/dev/null || lab_fail "the gateway ended in $name: $(tail -3 "$LAB_DIR/gateway.log")"
  kill -0 "$LAB_CONCENTRATOR" 2>/dev/null || lab_fail "the concentrator ended in $name: $(tail -3 "$LAB_DIR/concentrator.log")"
  echo "-- $name: $((SECONDS - begin)) s"
done
