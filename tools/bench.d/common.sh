# shellcheck shell=bash
# What every subcommand of tools/bench needs: options, the lab, records, the meter.

meter=$PWD/tools/bench.d/meter.py
server_port=7000

# Options all subcommands have. What is left over is in the array `rest`.
take_options() {
  rounds='' json='' ways='' short='' rest=()
  while [ $# -gt 0 ]; do
    case $1 in
      --short) short=yes; shift ;;
      --rounds|--json|--ways|--records)
        [ $# -ge 2 ] || usage
        case $1 in --rounds) rounds=$2 ;; --json) json=$2 ;; --ways) ways=$2 ;; --records) keep_records=$2 ;; esac
        shift 2 ;;
      *) rest+=("$1"); shift ;;
    esac
  done
}

# defaults ROUNDS "WAYS": what the options left open; --short is one round. The bundle is left out
# where its packages are missing, and that is said.
defaults() {
  rounds=${rounds:-$([ -n "$short" ] && echo 1 || echo "$1")}
  local way missing known=${ways:-$2}
  ways=
  for way in $known; do
    way_known "$way" || { echo "bench: there is no way '$way'" >&2; exit 2; }
    if [ "$way" = bundle ] && ! missing=$(bundle_programs); then
      echo "bench: no $missing (tools/setup --bench installs it): without the kernel's bundle" >&2
      continue
    fi
    ways+="${ways:+ }$way"
  done
}

build() {
  if [ -z "${BUILD-}" ] && [ -z "${BRAID-}" ]; then
    BUILD=$PWD/build/release
    local log; log=$(mktemp)
    if ! { cmake --preset release && cmake --build --preset release --target braid linkemu relay; } >"$log" 2>&1; then
      cat "$log"; rm -f "$log"; exit 1
    fi
    rm -f "$log"
  fi
  # For the lab; BRAID, LINKEMU and RELAY name single programs.
  BUILD=${BUILD:-$(dirname "$BRAID")}
  export BRAID=${BRAID:-$BUILD/braid} LINKEMU=${LINKEMU:-$BUILD/linkemu} RELAY=${RELAY:-$BUILD/relay}
}

# The lab with the meter's server in it.
start_lab() {
  lab_require python3
  lab_up
  exec 3>&1 4>&2
  trap end_lab EXIT
  lab_configs
  : >"$LAB_DIR/records"
  lab_spawn srv meter.log "$LAB_PYTHON" "$meter" server $server_port
  lab_wait_until 10 grep -q listening "$LAB_DIR/meter.log" || lab_fail "$(cat "$LAB_DIR/meter.log")"
}

# What was measured before a failure or Ctrl-C is not lost.
end_lab() {
  local status=$?
  trap '' INT TERM HUP  # a second Ctrl-C does not keep the lab from being taken down
  exec >&3 2>&4  # not into a file that the interrupted command wrote
  if [ "$status" -ne 0 ] && [ -s "$LAB_DIR/records" ]; then say "stopped; until then:"; finish; fi
  lab_down
  exit "$status"
}

# links WORDS1 WORDS2: the uplinks' settings while the lab runs; what is not said is reset.
readonly plain_link="delay=0ms jitter=0ms queue=none loss=0 ber=0 schedule=none"
links() {
  # shellcheck disable=SC2086
  lab_link_set dsl $plain_link $1 && lab_link_set lte $plain_link $2 || lab_fail "links: $1, $2"
}

# record BENCH ROW TO WHAT WAY VALUE more|less [AIM]; a VALUE may be a list: [1, 2]
record() {
  [ -n "$6" ] || lab_fail "$1: $2 to $3, $4, $5: nothing was measured"
  printf '{"bench": "%s", "row": "%s", "to": "%s", "what": "%s", "way": "%s", "value": %s, "better": "%s", "aim": "%s", "load": %s}\n' \
    "$1" "$2" "$3" "$4" "$5" "$6" "$7" "${8-}" "$(cut -d' ' -f1 /proc/loadavg)" >>"$LAB_DIR/records"
}
say() { printf 'bench: %s\n' "$*" >&2; }

# The table of all records, and the JSON file when asked for.
finish() {
  if [ -n "${keep_records-}" ]; then cat "$LAB_DIR/records" >>"$keep_records"; return; fi
  print_table "$LAB_DIR/records"
}
print_table() {
  printf 'Linux %s, %s cores\n' "$(uname -r)" "$(nproc)"
  python3 tools/bench.d/table.py "$1" ${json:+"$json"}
}

in_lan() { lab_in lan "$LAB_PYTHON" "$meter" "$@"; }
# of FILE EXPRESSION: a figure from a JSON file, as python sees it (the document is `d`).
of() { "$LAB_PYTHON" -c 'import json, statistics, sys; d = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2"; }

# bulk NAMESPACE up|down SIZE FILE [LIMIT]: one transfer, cut off after LIMIT seconds; what the receiver saw
# is in FILE.
bulk() {
  rm -f "$4" "$4.sent"
  lab_in "$1" "$LAB_PYTHON" "$meter" bulk "$2" "$LAB_SERVER4" $server_port "$3" "$4" ${5:+"$5"}
}
# whole FILE WHAT: the transfer was right and whole, or right until it was cut off, or the bench ends.
whole() {
  case $(of "$1" '"%d %s %s" % (d["wrong_blocks"], d["ended"], d["bytes"] - (d["sent"] or 0))') in
    "0 eof 0" | "0 cut off "*) ;;
    *) lab_fail "$2: $(of "$1" '{k: v for k, v in d.items() if k not in ("bins", "taken")}')" ;;
  esac
}
direction_name() { if [ "$1" = up ]; then echo server; else echo LAN; fi; }
