# shellcheck shell=bash disable=SC2034
# latency: a 1 kB request every 25 ms beside one bulk download, or --downloads N, that fill 50/10 + 30/30 with
# 100 ms of queue; by turns on a connection that is kept and on a new one (a round trip more). The base is 20 ms.
# Beside it, how long a ping takes over each uplink, whatever braid or the bundle think of it: 20 and 60
# ms, and the queue that stands there.

latency() {
  local seconds=10 lead=2.5 downloads=1 way round load file pid i
  local -a bulk_pids
  take_options "$@"
  [ -z "$short" ] || { seconds=1; lead=0.5; }
  set -- "${rest[@]}"
  while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || usage
    case $1 in --seconds) seconds=$2 ;; --downloads) downloads=$2 ;; *) usage ;; esac
    shift 2
  done
  defaults 3 "uplink1 uplink2 bundle braid"
  start_lab
  file=$LAB_DIR/requests.json
  for ((round = 1; round <= rounds; ++round)); do
    for way in $ways; do
      way_up "$way"
      for load in idle bulk; do
        if [ $load = bulk ]; then
          bulk_pids=()
          for ((i = 1; i <= downloads; ++i)); do
            lab_spawn lan "bulk-$i.log" "$LAB_PYTHON" "$meter" bulk down "$LAB_SERVER4" $server_port $((seconds + ${lead%.*} + 1))s "$LAB_DIR/bulk-$i.json"
            bulk_pids+=("$LAB_LAST_PID")
          done
          sleep $lead
        fi
        latency_ping 1; latency_ping 2
        in_lan requests "$LAB_SERVER4" $server_port 1000 "$seconds" >"$file" || lab_fail "requests, $way, $load"
        latency_records "$way" $load "$file"
      done
      for pid in "${bulk_pids[@]}"; do lab_wait_until 60 lab_is_gone "$pid" || lab_fail "the download, $way"; done
      record latency "$(latency_row bulk)" LAN "all downloads, Mbit/s" "$way" "$(latency_rates)" more
      way_down "$way"
    done
  done
  finish
}

latency_ping() { # UPLINK
  lab_spawn gw "ping-$1.log" ping -n -i 0.05 -w "$seconds" -I "wan$1" "10.$1.0.1"
}
latency_pings() { # UPLINK: "[ms, ms]"
  sed -n 's/.* time=\([0-9.]*\) ms.*/\1/p' "$LAB_DIR/ping-$1.log" | paste -sd, | sed 's/.*/[&]/'
}

latency_rates() { # of all downloads together, Mbit/s
  for ((i = 1; i <= downloads; ++i)); do
    of "$LAB_DIR/bulk-$i.json" 'd["bytes"] * 8e-6 / (d["end"] - d["begin"])'
  done | awk '{ sum += $1 } END { print sum }'
}

latency_row() { # idle|bulk
  case $1:$downloads in
    idle:*) echo "no load" ;;
    bulk:1) echo "beside a download" ;;
    *) echo "beside $downloads downloads" ;;
  esac
}

latency_records() { # WAY LOAD FILE
  local aim='' row
  row=$(latency_row "$2")
  [ "$2" = idle ] || aim="<= 50"
  record latency "$row" LAN "1 kB, kept, ms" "$1" "$(of "$3" '[t * 1e3 for t in d["kept"]]')" less "$aim"
  [ -z "$aim" ] || aim="<= 70"
  record latency "$row" LAN "1 kB, new, ms" "$1" "$(of "$3" '[t * 1e3 for t in d["fresh"]]')" less "$aim"
  record latency "$row" both "ping, uplink 1, ms" "$1" "$(latency_pings 1)" less
  record latency "$row" both "ping, uplink 2, ms" "$1" "$(latency_pings 2)" less
  say "latency: $row, $1: $(of "$3" '"kept p50 %.0f most %.0f, new p50 %.0f most %.0f ms" % tuple(f(d[k]) * 1e3 for k in ("kept", "fresh") for f in (statistics.median, max))')"
}
