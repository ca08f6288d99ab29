# shellcheck shell=bash
# What tests do with the lab of topology.sh: both roles started and stopped, transfers that are
# compared byte by byte, single connections with a mind of their own (peer.py), and what each uplink
# carried. Source it behind topology.sh.

LAB_PEER=$LAB_ROOT/tests/lab/peer.py
LAB_PYTHON=$(command -v /usr/bin/python3 || command -v python3)
LAB_SERVER4=198.51.100.2
LAB_SERVER6=2001:db8:6::2

# Starts both roles with the usual configurations; their ids are in LAB_GATEWAY and LAB_CONCENTRATOR.
lab_bond() { lab_concentrator; lab_gateway "${1:-gateway.yaml}"; }
lab_gateway() { lab_braid gateway "$LAB_DIR/${1:-gateway.yaml}"; LAB_GATEWAY=$LAB_LAST_PID; }
lab_concentrator() { lab_braid concentrator "$LAB_DIR/concentrator.yaml"; LAB_CONCENTRATOR=$LAB_LAST_PID; }

# lab_stop PID SECONDS: SIGTERM, and the process ends in that time.
lab_stop() {
  kill "$1"
  lab_wait_until "$2" lab_is_gone "$1" || lab_fail "process $1 does not end within $2 s of SIGTERM: $(tail -qn 2 "$LAB_DIR"/gateway.log "$LAB_DIR"/concentrator.log)"
}

# lab_url HOST PATH
lab_url() { case $1 in *:*) echo "http://[$1]/$2" ;; *) echo "http://$1/$2" ;; esac; }

# lab_fetch FILE [HOST] [AS]: downloads it and compares; what curl measured is printed:
# "seconds-to-connect bytes-per-second".
lab_fetch() {
  local as=${3:-got-$1-$BASHPID}
  lab_in lan curl -gsS -m "${LAB_TRANSFER_TIMEOUT:-60}" -o "$LAB_DIR/$as" \
    -w '%{time_connect} %{speed_download}\n' "$(lab_url "${2:-$LAB_SERVER4}" "$1")" || return 1
  cmp "$LAB_DIR/www/$1" "$LAB_DIR/$as" || return 1
  rm -f "$LAB_DIR/$as"
}

# lab_send FILE [HOST]: uploads it and compares; prints as lab_fetch does.
lab_send() {
  local as=sent-$1-$BASHPID
  lab_in lan curl -gsS -m "${LAB_TRANSFER_TIMEOUT:-60}" -T "$LAB_DIR/www/$1" -o "$LAB_DIR/$as.answer" \
    -w '%{time_connect} %{speed_upload}\n' "$(lab_url "${2:-$LAB_SERVER4}" "up/$as")" || return 1
  cmp "$LAB_DIR/www/$1" "$LAB_DIR/www/up/$as" || return 1
  rm -f "$LAB_DIR/www/up/$as" "$LAB_DIR/$as.answer"
}

# lab_mbits "SECONDS BYTES-PER-SECOND": the rate in Mbit/s, one decimal.
lab_mbits() { awk '{ printf "%.1f", $2 * 8 / 1e6 }' <<<"$1"; }

# lab_carried up|down: IP bytes that arrived over "dsl lte" so far.
lab_carried() { echo "$(lab_link_stat dsl "$1" delivered_bytes) $(lab_link_stat lte "$1" delivered_bytes)"; }
# lab_shares BEFORE AFTER: what each uplink carried between, "dsl% lte%".
lab_shares() {
  awk -v before="$1" -v after="$2" 'BEGIN {
    split(before, b); split(after, a); dsl = a[1] - b[1]; lte = a[2] - b[2]; all = dsl + lte + 1
    printf "%d %d", 100 * dsl / all, 100 * lte / all }'
}

# Which address the server sees: the concentrator's (198.51.100.1) when the connection was bonded, an
# uplink's (10.x.0.2) when the kernel carried it.
lab_who() { lab_in lan curl -gsS -m 10 "$(lab_url "${1:-$LAB_SERVER4}" who)"; }

# lab_listen PORT ACTION...: peer.py in srv; its log is $LAB_DIR/listen-PORT.log.
lab_listen() {
  local port=$1
  lab_spawn srv "listen-$port.log" "$LAB_PYTHON" "$LAB_PEER" listen "$@"
  LAB_LISTENER=$LAB_LAST_PID
  lab_wait_until 10 grep -q listening "$LAB_DIR/listen-$port.log" ||
    lab_fail "peer.py: $(cat "$LAB_DIR/listen-$port.log")"
}
# lab_connect [OPTIONS] ADDRESS PORT ACTION...: peer.py in lan; the outcome is printed.
lab_connect() { lab_in lan "$LAB_PYTHON" "$LAB_PEER" connect "$@"; }
# lab_connect_later LOG ...: the same in the background; its id is in LAB_LAST_PID.
lab_connect_later() { local log=$1; shift; lab_spawn lan "$log" "$LAB_PYTHON" "$LAB_PEER" connect "$@"; }
# lab_heard LOG REGEX [SECONDS]: the line is in that log, or comes in time.
lab_heard() { lab_wait_until "${3:-5}" grep -Eq "$2" "$LAB_DIR/$1"; }

# lab_snapshot NAMESPACE: whatever of the host braid could have changed.
lab_snapshot() {
  lab_in "$1" sh -c 'nft list ruleset; for f in -4 -6; do ip $f rule; ip $f route show table all; done
    ip -br link | sed "s/@.*//"; sysctl -a 2>/dev/null |
    grep -E "^net\.ipv[46]\.(ip_forward|conf\.[a-z0-9]+\.(forwarding|rp_filter|accept_ra|arp_ignore)|ip_local_reserved_ports) "' |
    sed -E 's/ (expires|age) [0-9]+sec//' | sort
}
