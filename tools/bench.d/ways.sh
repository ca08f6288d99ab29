# shellcheck shell=bash
# The ways from the LAN host to the server that tools/bench compares. Source it behind the lab's
# topology.sh and traffic.sh. One way is up at a time: way_up WAY, way_down WAY.
#
#   uplink1, uplink2   the gateway's kernel masquerades onto that uplink: no bonding
#   relay              the empty relay (tools/relay) at both ends of uplink 1: the two doors alone
#   bundle             the kernel's own MPTCP between redsocks and dante-server under `mptcpize run`
#   braid, braid1      braid over both uplinks, over the first
#   braid-CONTROLLER   braid over both uplinks with that congestion controller at both ends
#
# Kernel sockets use cubic on every way (the lab's routes say so); what runs in the namespaces gw and
# conc belongs to the way that is up.

way_known() { case $1 in braid-?*) ;; *) declare -F "way_$1_up" >/dev/null ;; esac; }
way_up() {
  case $1 in
    braid-*) braid_with "${1#*-}" ;;
    *) "way_$1_up" ;;
  esac || lab_fail "the way $1"
}
way_down() {
  case $1 in braid-*) ;; *) "way_$1_down" ;; esac
  way_stop_all
}

# Everything in gw and conc ends; a second SIGTERM tells braid not to wait for its connections.
way_processes() { ip netns pids "$(lab_ns gw)"; ip netns pids "$(lab_ns conc)"; }
way_all_gone() { [ -z "$(way_processes)" ]; }
way_signal() {
  local pids; pids=$(way_processes)
  # shellcheck disable=SC2086
  [ -z "$pids" ] || kill "-$1" $pids 2>/dev/null
}
way_stop_all() {
  way_signal TERM; sleep 0.1; way_signal TERM
  lab_wait_until 10 way_all_gone || way_signal KILL
  lab_wait_until 5 way_all_gone || lab_fail "processes of a way do not end"
}

# --- one uplink, the kernel's way ------------------------------------------------------------------

way_uplink1_up() { lab_prefer_uplink 1; lab_masquerade on; }
way_uplink1_down() { lab_masquerade off; }
way_uplink2_up() { lab_prefer_uplink 2; lab_masquerade on; }
way_uplink2_down() { lab_masquerade off; lab_prefer_uplink 1; }

# --- the empty relay ---------------------------------------------------------------------------------

# relay_at NAMESPACE INTERFACE INSIDE-INTERFACE FILTER: one relay between INTERFACE and its TUN, where
# everything that comes in at INSIDE-INTERFACE goes; FILTER is what the kernel must not forward itself.
relay_at() {
  local ns; ns=$(lab_ns "$1")
  lab_spawn "$1" "relay-$1.log" "$RELAY" relay0 "$2" 1024 65535
  lab_wait_until 5 ip -n "$ns" link show relay0 up || lab_fail "$(cat "$LAB_DIR/relay-$1.log")"
  ip -n "$ns" route add default dev relay0 table 77
  ip -n "$ns" rule add iif "$3" ipproto tcp lookup 77
  lab_in "$1" nft "add table ip relay; add chain ip relay quiet { type filter hook prerouting priority raw; };
    add rule ip relay quiet iifname $2 meta l4proto tcp $4 drop"
}
way_relay_up() {
  # The relay changes no address: the net knows the LAN's.
  ip -n "$(lab_ns net)" route add 192.168.77.0/24 via 10.1.0.2
  relay_at gw wan1 lan0 "ip daddr 192.168.77.0/24"
  relay_at conc eth0 srv0 "ip saddr 192.168.77.0/24 tcp dport != 0-1023"
}
way_relay_down() {
  ip -n "$(lab_ns gw)" rule del iif lan0 ipproto tcp
  ip -n "$(lab_ns conc)" rule del iif srv0 ipproto tcp
  lab_in gw nft delete table ip relay
  lab_in conc nft delete table ip relay
  ip -n "$(lab_ns net)" route del 192.168.77.0/24 via 10.1.0.2
}

# --- braid -------------------------------------------------------------------------------------------

# The concentrator first: it is the other one's first question.
way_braid_up() { lab_bond "${1:-gateway.yaml}"; }
way_braid_down() { :; }
way_braid1_up() { way_braid_up gateway-dsl.yaml; }
way_braid1_down() { :; }
braid_with() { # CONTROLLER
  echo "congestion_control: $1" | tee -a "$LAB_DIR/gateway.yaml" >>"$LAB_DIR/concentrator.yaml"
  way_braid_up
  sed -i '/^congestion_control:/d' "$LAB_DIR/gateway.yaml" "$LAB_DIR/concentrator.yaml"
}

# --- the bundle of the distribution's packages ---------------------------------------------------------

bundle_programs() {
  local program
  for program in mptcpize redsocks danted; do
    command -v "$program" >/dev/null || { echo "$program"; return 1; }
  done
}

# A path of its own for each uplink's address; ran again after an interface was down.
bundle_routes() {
  local n ns; ns=$(lab_ns gw)
  for n in 1 2; do
    ip -n "$ns" route replace default via "10.$n.0.1" dev "wan$n" table "10$n" congctl cubic 2>/dev/null
  done
}
bundle_paths() {
  local n ns
  for ns in gw conc; do
    lab_in $ns sysctl -qw net.mptcp.enabled=1
    lab_in $ns ip mptcp limits set subflow 2 add_addr_accepted 2
  done
  ns=$(lab_ns gw)
  bundle_routes
  for n in 1 2; do
    ip -n "$ns" rule add from "10.$n.0.2" lookup "10$n"
    ip -n "$ns" mptcp endpoint add "10.$n.0.2" dev "wan$n" subflow
  done
}

bundle_configs() {
  cat >"$LAB_DIR/redsocks.conf" <<END
base { log_debug = off; log_info = off; log = "file:$LAB_DIR/redsocks.log"; daemon = off;
  redirector = iptables; redsocks_conn_max = $(($(ulimit -n) / 2 - 50)); }
redsocks { local_ip = 0.0.0.0; local_port = 12345; ip = 203.0.113.5; port = 1080; type = socks5;
  listenq = 4096; }
END
  cat >"$LAB_DIR/danted.conf" <<END
errorlog: $LAB_DIR/danted.log
internal: 203.0.113.5 port = 1080
external: srv0
clientmethod: none
socksmethod: none
user.privileged: root
user.unprivileged: root
client pass { from: 10.0.0.0/8 to: 0.0.0.0/0 }
socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 command: connect }
END
}

way_bundle_up() {
  bundle_paths
  bundle_configs
  lab_in gw nft 'add table ip bundle; add chain ip bundle in { type nat hook prerouting priority dstnat; };
    add rule ip bundle in iifname lan0 meta l4proto tcp redirect to :12345'
  lab_spawn conc danted.out mptcpize run danted -f "$LAB_DIR/danted.conf" -p "$LAB_DIR/danted.pid"
  lab_spawn gw redsocks.out mptcpize run redsocks -c "$LAB_DIR/redsocks.conf" -p "$LAB_DIR/redsocks.pid"
  lab_wait_until 5 lab_in conc sh -c 'ss -Hltn sport = :1080 | grep -q .' || lab_fail "danted: $(cat "$LAB_DIR"/danted.*)"
  lab_wait_until 5 lab_in gw sh -c 'ss -Hltn sport = :12345 | grep -q .' || lab_fail "redsocks: $(cat "$LAB_DIR"/redsocks.*)"
}
way_bundle_down() {
  local n ns; ns=$(lab_ns gw)
  lab_in gw nft delete table ip bundle
  ip -n "$ns" mptcp endpoint flush
  for n in 1 2; do
    ip -n "$ns" rule del from "10.$n.0.2" lookup "10$n"
    ip -n "$ns" route flush table "10$n"
  done
}
