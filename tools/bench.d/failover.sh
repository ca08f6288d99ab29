# shellcheck shell=bash disable=SC2034
# failover: uplink 1 of 50/10 + 30/30 is lost in the middle of a transfer and comes back: its interface
# goes down on the gateway, or the link silently swallows everything. Each trial is a connection of its own.

failover() {
  local trials=10 events="down silent" directions="down up" lead=2 away=2.5
  take_options "$@"
  [ -z "$short" ] || { trials=1; events=silent; directions=down; lead=0 away=1; }
  set -- "${rest[@]}"
  while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || usage
    case $1 in --trials) trials=$2 ;; --events) events=$2 ;; --directions) directions=$2 ;; *) usage ;; esac
    shift 2
  done
  defaults 1 "bundle braid"
  start_lab
  local way event to round
  for way in $ways; do
    way_up "$way"
    for event in $events; do
      for to in $directions; do
        for ((round = 1; round <= trials * rounds; ++round)); do failover_trial "$way" "$event" "$to"; done
      done
    done
    way_down "$way"
  done
  finish
}

# failover_trial WAY EVENT up|down
failover_trial() {
  local file=$LAB_DIR/failover.json event back used=null pid before row aim
  rm -f "$file" "$file.sent"
  lab_spawn lan failover.log "$LAB_PYTHON" "$meter" bulk "$3" "$LAB_SERVER4" $server_port "$(awk -v l="$lead" -v a="$away" 'BEGIN { print l + 2 * a + 0.5 }')s" "$file"
  pid=$LAB_LAST_PID
  # Not always at the same phase of anything.
  sleep "$lead.$((RANDOM % 400 + 300))"
  event=$EPOCHREALTIME
  if [ "$2" = down ]; then lab_uplink_down 1; else lab_link_down dsl; fi
  sleep "$away"
  before=$(lab_link_stat dsl "$3" delivered_bytes)
  back=$EPOCHREALTIME
  if [ "$2" = down ]; then lab_uplink_up 1; [ "$1" != bundle ] || bundle_routes; else lab_link_up dsl; fi
  failover_until_used "$3" "$before" "$back"
  lab_wait_until 90 lab_is_gone "$pid"
  [ -e "$file" ] || lab_fail "failover, $1, $2, $3: the transfer never ended: $(cat "$LAB_DIR/failover.log")"
  # Of the remaining 30 Mbit/s, what is payload.
  "$LAB_PYTHON" tools/bench.d/failover.py "$file" "$event" "$back" 28400 >"$LAB_DIR/trial.json"
  failover_records "$1" "$2" "$(direction_name "$3")"
}

# Sets `used`: ms from the return of uplink 1 until it has carried 50 kB of the transfer; 2400 when it did not in that time.
failover_until_used() { # up|down BYTES-BEFORE BACK
  local carried=0 past=0
  while [ "$past" -lt 2400000 ] && [ "$carried" -lt 50000 ]; do
    carried=$(($(lab_link_stat dsl "$1" delivered_bytes) - $2))
    past=$((${EPOCHREALTIME/./} - ${3/./}))
  done
  used=$((past / 1000))
}

failover_records() { # WAY EVENT TO
  local row="interface down" aim="<= 150" trial=$LAB_DIR/trial.json
  [ "$2" = down ] || { row="silent black hole" aim="<= 500"; }
  record failover "$row" "$3" "stall, ms" "$1" "[$(of "$trial" 'd["stall_ms"]')]" less "$aim"
  record failover "$row" "$3" "until 90 % of the rest, ms" "$1" "[$(of "$trial" 'd["full_ms"]')]" less "<= 1000"
  record failover "$row" "$3" "of the rest in 2 s" "$1" "$(of "$trial" 'd["share"]')" more
  record failover "$row" "$3" "used again, ms" "$1" "[$used]" less "<= 1000"
  record failover "$row" "$3" "lost or wrong, in all" "$1" "$(of "$trial" 'd["lost"] + d["wrong"]')" less "<= 0"
  record failover "$row" "$3" "reset, in all" "$1" "$(of "$trial" 'd["reset"]')" less "<= 0"
  say "failover: $row to $3, $1: used again $used ms, $(cat "$trial")"
}
