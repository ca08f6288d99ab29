# shellcheck shell=bash disable=SC2034
# setup: the time to connect, and to fetch 10 kB on a new connection, as the LAN host sees it. Uplinks 50/10
# + 30/30, the server next to the concentrator or 20 ms behind it. (The bundle accepts before it has asked
# the server, so its time to connect says nothing; that of a fetch does.)

setup() {
  local runs=40 way round row delay file
  take_options "$@"
  [ -z "$short" ] || runs=3
  set -- "${rest[@]}"
  while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || usage
    case $1 in --runs) runs=$2 ;; *) usage ;; esac
    shift 2
  done
  defaults 3 "uplink1 uplink2 bundle braid"
  LAB_SERVER_LINK="delay=0ms"
  start_lab
  file=$LAB_DIR/fetch.json
  for delay in 0 20; do
    lab_link_set server "delay=${delay}ms"
    row="server +$delay ms"
    for ((round = 1; round <= rounds; ++round)); do
      for way in $ways; do
        way_up "$way"
        in_lan fetch "$LAB_SERVER4" $server_port 1 2 >"$file"  # neighbours, paths
        in_lan fetch "$LAB_SERVER4" $server_port 10000 "$runs" >"$file" || lab_fail "fetch, $way"
        record setup "$row" LAN "connect, ms" "$way" "$(of "$file" 'statistics.median(d["connect"]) * 1e3')" less "<= 1.05 x uplink"
        record setup "$row" LAN "10 kB, ms" "$way" "$(of "$file" 'statistics.median(d["whole"]) * 1e3')" less "<= 1.05 x uplink"
        say "setup: $row, $way: $(of "$file" '"connect %.1f ms, 10 kB %.1f ms" % tuple(statistics.median(d[k]) * 1e3 for k in ("connect", "whole"))')"
        way_down "$way"
      done
    done
    [ -z "$short" ] || break
  done
  finish
}
