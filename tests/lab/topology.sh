# shellcheck shell=bash disable=SC2086
# The lab: a LAN host, a gateway with two emulated uplinks, the net between, a concentrator and a
# server, each in a network namespace of its own. Source this file, then lab_up.
#
#   lan ---lan0 gw wan1 ===[em: linkemu dsl]=== up1 net core --- eth0 conc srv0 --- srv
#    .2     .1     wan2 ===[em: linkemu lte]=== up2                .5            .2
#
#   lan  192.168.77.2   fd00:77::2        gw lan0  192.168.77.1  fd00:77::1
#   wan1 10.1.0.2       fd00:1::2         net up1  10.1.0.1      fd00:1::1
#   wan2 10.2.0.2       fd00:2::2         net up2  10.2.0.1      fd00:2::1
#   conc eth0 203.0.113.5  2001:db8:5::5  net core 203.0.113.1   2001:db8:5::1
#   srv  198.51.100.2   2001:db8:6::2     conc srv0 198.51.100.1 2001:db8:6::1
#
# What a test may set before lab_up:
#   LAB_LINK1, LAB_LINK2   linkemu words of the uplinks; "none": a plain, unshaped veth
#   LAB_SERVER_LINK        linkemu words of the concentrator's way to the server; "none" by default
#   LAB_CORE_LINK          the same for what both uplinks share before the concentrator
#   LAB_SEED               linkemu's seed
#   LINKEMU, BRAID         the programs; those of build/release by default
# What lab_up sets: LAB_DIR, a directory that is removed at the end.
#
# The net knows no way back to the LAN's addresses: what leaves an uplink must carry its address.

LAB_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
LAB_NAMES="lan gw em net conc srv"
LAB_LINK1=${LAB_LINK1-rate=50mbit delay=10ms queue=100ms}
LAB_LINK2=${LAB_LINK2-rate=30mbit delay=30ms queue=100ms}
LAB_SERVER_LINK=${LAB_SERVER_LINK-none}
LAB_CORE_LINK=${LAB_CORE_LINK-none}
LINKEMU=${LINKEMU:-$LAB_ROOT/build/release/linkemu}
BRAID=${BRAID:-$LAB_ROOT/build/release/braid}
LAB_PREFIX=braid-lab-$$
LAB_DIR=
LAB_PIDS=()

lab_say() { printf 'lab: %s\n' "$*" >&2; }
# A failed check: says why and ends the test.
lab_fail() { lab_say "FAILED: $*"; exit 1; }
# The machine cannot run this test: 77 is "skipped" to tests/lab/run.
lab_cannot() { lab_say "cannot run here: $*"; exit 77; }

lab_ns() { printf '%s-%s' "$LAB_PREFIX" "$1"; }
# lab_in NAMESPACE COMMAND...: runs it there.
lab_in() { local ns; ns=$(lab_ns "$1"); shift; ip netns exec "$ns" "$@"; }
# lab_spawn NAMESPACE LOG COMMAND...: in the background, ended by lab_down; its id is in LAB_LAST_PID.
lab_spawn() {
  local ns log=$2; ns=$(lab_ns "$1"); shift 2
  ip netns exec "$ns" "$@" >"$LAB_DIR/$log" 2>&1 </dev/null &
  LAB_LAST_PID=$!
  LAB_PIDS+=("$LAB_LAST_PID")
}
# lab_wait_until SECONDS COMMAND...: until it succeeds; fails after that time.
lab_wait_until() {
  local end=$((SECONDS + $1)); shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.05
  done
}

lab_is_gone() { ! kill -0 "$1" 2>/dev/null; }

lab_require() {
  local tool
  [ "$(id -u)" = 0 ] || lab_cannot "needs root"
  for tool in ip ethtool nft sysctl curl iperf3 nginx sha256sum "$@"; do
    command -v "$tool" >/dev/null || lab_cannot "no $tool (tools/setup installs it)"
  done
  [ -x "$LINKEMU" ] || lab_cannot "no $LINKEMU (build the release preset)"
  ip netns add "$LAB_PREFIX-probe" 2>/dev/null || lab_cannot "cannot make network namespaces"
  ip netns del "$LAB_PREFIX-probe"
}

# Namespaces of earlier runs whose shell is gone.
lab_sweep() {
  local ns pid
  for ns in $(ip netns list | sed -n 's/^\(braid-lab-[0-9]*-[a-z]*\).*/\1/p'); do
    pid=${ns#braid-lab-}; pid=${pid%-*}
    kill -0 "$pid" 2>/dev/null || lab_remove_ns "$ns"
  done
}

lab_remove_ns() {
  local pids
  pids=$(ip netns pids "$1" 2>/dev/null) || return 0
  [ -z "$pids" ] || kill -9 $pids 2>/dev/null
  ip netns del "$1"
}

lab_down() {
  local name pid
  trap - EXIT INT TERM HUP
  # The newest first: linkemu carries the others' goodbyes.
  for ((pid = ${#LAB_PIDS[@]} - 1; pid >= 0; --pid)); do kill "${LAB_PIDS[pid]}" 2>/dev/null; done
  for pid in "${LAB_PIDS[@]}"; do
    for _ in $(seq 60); do kill -0 "$pid" 2>/dev/null || break; sleep 0.05; done
    kill -9 "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
  done
  LAB_PIDS=()
  for name in $LAB_NAMES; do lab_remove_ns "$(lab_ns "$name")"; done
  [ -z "$LAB_DIR" ] || { [ -n "${LAB_KEEP-}" ] && lab_say "kept $LAB_DIR" || rm -rf "$LAB_DIR"; }
  LAB_DIR=
  return 0
}

lab_make_ns() {
  local ns; ns=$(lab_ns "$1")
  ip netns add "$ns"
  ip -n "$ns" link set lo up
  # Runs are to be alike: no duplicate address detection, no router advertisements, no memory of
  # earlier connections, the same congestion control everywhere (where the host does not allow it to
  # a namespace, the routes have it too: lab_default_route).
  ip netns exec "$ns" sysctl -qw net.ipv4.tcp_congestion_control=cubic 2>/dev/null
  ip netns exec "$ns" sysctl -qw \
    net.ipv4.tcp_no_metrics_save=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
    net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.accept_ra=0
  case $1 in
    gw|net|conc) ip netns exec "$ns" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 ;;
    em) ip netns exec "$ns" sysctl -qw net.ipv6.conf.default.disable_ipv6=1 net.ipv6.conf.all.disable_ipv6=1 ;;
  esac
}

# lab_cable NS_A IF_A NS_B IF_B: a plain veth pair, offloads and all.
lab_cable() {
  ip -n "$(lab_ns "$1")" link add "$2" type veth peer name "$4" netns "$(lab_ns "$3")"
  ip -n "$(lab_ns "$1")" link set "$2" up
  ip -n "$(lab_ns "$3")" link set "$4" up
}

# lab_link NAME WORDS NS_A IF_A NS_B IF_B: an emulated link, whose ends are veths without offloads
# (frames on a link are single packets with checksums); "none": a plain cable.
lab_link() {
  local name=$1 words=$2 end
  shift 2
  if [ "$words" = none ]; then lab_cable "$@"; return; fi
  for end in "$1 $2 a" "$3 $4 b"; do
    set -- $end
    lab_cable "$1" "$2" em "$name-$3"
    lab_in "$1" ethtool -K "$2" tso off gso off gro off tx off >/dev/null
    lab_in em ethtool -K "$name-$3" tso off gso off gro off tx off >/dev/null
  done
  LAB_LINKEMU_ARGS+=(--link "$name" "$name-a" "$name-b" $words)
}

lab_address() {
  local ns; ns=$(lab_ns "$1")
  ip -n "$ns" addr add "$3" dev "$2"
  ip -n "$ns" addr add "$4" dev "$2" nodad
}

lab_addresses() {
  lab_address lan eth0 192.168.77.2/24 fd00:77::2/64
  lab_address gw lan0 192.168.77.1/24 fd00:77::1/64
  lab_address gw wan1 10.1.0.2/24 fd00:1::2/64
  lab_address gw wan2 10.2.0.2/24 fd00:2::2/64
  lab_address net up1 10.1.0.1/24 fd00:1::1/64
  lab_address net up2 10.2.0.1/24 fd00:2::1/64
  lab_address net core 203.0.113.1/24 2001:db8:5::1/64
  lab_address conc eth0 203.0.113.5/24 2001:db8:5::5/64
  lab_address conc srv0 198.51.100.1/24 2001:db8:6::1/64
  lab_address srv eth0 198.51.100.2/24 2001:db8:6::2/64
}

lab_default_route() { ip -n "$(lab_ns "$1")" route add default via "$2" congctl cubic; }

lab_routes() {
  lab_default_route lan 192.168.77.1 && lab_default_route lan fd00:77::1
  lab_prefer_uplink 1
  ip -n "$(lab_ns net)" route add 198.51.100.0/24 via 203.0.113.5 congctl cubic
  ip -n "$(lab_ns net)" route add 2001:db8:6::/64 via 2001:db8:5::5 congctl cubic
  lab_default_route conc 203.0.113.1 && lab_default_route conc 2001:db8:5::1
  lab_default_route srv 198.51.100.1 && lab_default_route srv 2001:db8:6::1
  local name
  for name in $LAB_NAMES; do lab_cubic_neighbours "$name"; done
}

# Neighbours are not behind the default route: the IPv4 routes to them say it too.
lab_cubic_neighbours() {
  local ns route; ns=$(lab_ns "$1")
  while read -r route; do
    ip -n "$ns" route change $route congctl cubic
  done < <(ip -n "$ns" -4 route show proto kernel | sed 's/ linkdown//')
}

lab_up() {
  trap lab_down EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  lab_sweep
  LAB_DIR=$(mktemp -d)
  LAB_LINKEMU_ARGS=()
  local name
  for name in $LAB_NAMES; do lab_make_ns "$name" || lab_fail "namespace $name"; done
  {
    lab_cable lan eth0 gw lan0 && lab_link core "$LAB_CORE_LINK" net core conc eth0 &&
      lab_link dsl "$LAB_LINK1" gw wan1 net up1 && lab_link lte "$LAB_LINK2" gw wan2 net up2 &&
      lab_link server "$LAB_SERVER_LINK" conc srv0 srv eth0 && lab_addresses && lab_routes
  } || lab_fail "the topology"
  if [ "${#LAB_LINKEMU_ARGS[@]}" -gt 0 ]; then
    lab_spawn em linkemu.log "$LINKEMU" --control "$LAB_DIR/linkemu.sock" \
      ${LAB_SEED:+--seed "$LAB_SEED"} "${LAB_LINKEMU_ARGS[@]}"
    lab_wait_until 10 test -S "$LAB_DIR/linkemu.sock" ||
      lab_fail "linkemu: $(cat "$LAB_DIR/linkemu.log")"
  fi
}

# lab_prefer_uplink 1|2: where the gateway's kernel routes what is its own business.
lab_prefer_uplink() {
  local ns other=$((3 - $1)); ns=$(lab_ns gw)
  ip -n "$ns" -4 route flush exact default; ip -n "$ns" -6 route flush exact default
  ip -n "$ns" route add default via "10.$1.0.1" dev "wan$1" metric 100
  ip -n "$ns" route add default via "fd00:$1::1" dev "wan$1" metric 100
  ip -n "$ns" route add default via "10.$other.0.1" dev "wan$other" metric 200
  ip -n "$ns" route add default via "fd00:$other::1" dev "wan$other" metric 200
}

# lab_uplink_down 1|2: the interface goes down on the gateway, and with it its routes and its IPv6
# address; lab_uplink_up puts all back, as a DHCP client would.
lab_uplink_down() { ip -n "$(lab_ns gw)" link set "wan$1" down; }
lab_uplink_up() {
  ip -n "$(lab_ns gw)" link set "wan$1" up
  ip -n "$(lab_ns gw)" addr add "fd00:$1::2/64" dev "wan$1" nodad
  lab_cubic_neighbours gw
  lab_prefer_uplink 1
}

# The gateway's kernel masquerades onto its uplinks, as a router without braid does: the direct path.
lab_masquerade() {
  case $1 in
    on) lab_in gw nft 'add table inet lab; add chain inet lab source { type nat hook postrouting priority srcnat; }; add rule inet lab source oifname { "wan1", "wan2" } masquerade' ;;
    off) lab_in gw nft 'add table inet lab; delete table inet lab' ;;
  esac
}

# Links by name: dsl (wan1), lte (wan2), server, core.
lab_link_ctl() { "$LINKEMU" ctl "$LAB_DIR/linkemu.sock" "$@"; }
lab_link_set() { lab_link_ctl set "$@"; }
# lab_link_down NAME [carrier]; without "carrier" the gateway cannot see it.
lab_link_down() { lab_link_ctl down "$@"; }
lab_link_up() { lab_link_ctl up "$@"; }
# lab_link_stat NAME up|down KEY: one figure; up is from the gateway.
lab_link_stat() { lab_link_ctl stats "$1" | sed -n "s/^$1 $2 .*\\b$3=\\([^ ]*\\).*/\\1/p"; }

# A web server in srv, port 80 of both families, from $LAB_DIR/www; PUT to /up/ stores there.
lab_nginx() {
  mkdir -p "$LAB_DIR/www/up" "$LAB_DIR/nginx"
  cat >"$LAB_DIR/nginx.conf" <<END
daemon off;
master_process off;
pid $LAB_DIR/nginx/pid;
error_log $LAB_DIR/nginx/error.log;
events { worker_connections 2048; }
http {
  access_log off;
  client_body_temp_path $LAB_DIR/nginx/body;
  proxy_temp_path $LAB_DIR/nginx/proxy;
  fastcgi_temp_path $LAB_DIR/nginx/fastcgi;
  uwsgi_temp_path $LAB_DIR/nginx/uwsgi;
  scgi_temp_path $LAB_DIR/nginx/scgi;
  client_max_body_size 0;
  sendfile on;
  server {
    listen 80 backlog=2048;
    listen [::]:80 backlog=2048;
    root $LAB_DIR/www;
    location /up/ { dav_methods PUT; }
    location = /who { default_type text/plain; return 200 "\$remote_addr\n"; }
  }
}
END
  chmod 755 "$LAB_DIR"
  lab_spawn srv nginx.log nginx -c "$LAB_DIR/nginx.conf" -e "$LAB_DIR/nginx/error.log"
  lab_wait_until 10 lab_in srv curl -so /dev/null http://127.0.0.1/ ||
    lab_fail "nginx: $(cat "$LAB_DIR/nginx.log" "$LAB_DIR/nginx/error.log" 2>/dev/null)"
}

# lab_file NAME BYTES: random bytes to be had at http://198.51.100.2/NAME.
lab_file() { mkdir -p "$LAB_DIR/www"; head -c "$2" /dev/urandom >"$LAB_DIR/www/$1"; }
lab_sum() { sha256sum <"$1" | cut -d' ' -f1; }

# lab_braid gateway|concentrator CONFIG: starts the role in its namespace, waits until it says that it
# works (its table alone may be that of one just killed). Its id is in LAB_LAST_PID, its log in
# $LAB_DIR/ROLE.log.
lab_braid() {
  local role=$1 ns=gw; [ "$role" = gateway ] || ns=conc
  [ -x "$BRAID" ] || lab_cannot "no $BRAID (build the release preset)"
  lab_spawn "$ns" "$role.log" "$BRAID" "$role" -c "$2"
  lab_wait_until 15 grep -Eq " $role: .* port [0-9]+\$" "$LAB_DIR/$role.log" ||
    lab_fail "braid $role did not start: $(tail -5 "$LAB_DIR/$role.log")"
  kill -0 "$LAB_LAST_PID" 2>/dev/null || lab_fail "braid $role ended: $(tail -5 "$LAB_DIR/$role.log")"
}

# The usual configurations, as files in $LAB_DIR: gateway.yaml (or one uplink only), concentrator.yaml.
lab_configs() {
  cat >"$LAB_DIR/gateway.yaml" <<END
lan: { interfaces: [lan0] }
uplinks:
  - { name: dsl, interface: wan1 }
  - { name: lte, interface: wan2 }
concentrator: { address: 203.0.113.5 }
END
  sed '/name: lte/d' "$LAB_DIR/gateway.yaml" >"$LAB_DIR/gateway-dsl.yaml"
  sed '/name: dsl/d' "$LAB_DIR/gateway.yaml" >"$LAB_DIR/gateway-lte.yaml"
  cat >"$LAB_DIR/concentrator.yaml" <<END
listen: { interface: eth0 }
allow: [ 10.1.0.0/24, 10.2.0.0/24, "fd00:1::/64", "fd00:2::/64" ]
targets: { private: true }
END
}
