# shellcheck shell=bash disable=SC2034
# upload: what the way takes from the LAN host beyond what has reached the server, at its most, as
# seconds of the uplinks' payload rate: a bulk upload over 5/20 + 2/40. (What the kernel takes end to end
# is only what it has in flight.)

upload() {
  local seconds=15 way round file rate
  take_options "$@"
  [ -z "$short" ] || seconds=1
  set -- "${rest[@]}"
  while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || usage
    case $1 in --seconds) seconds=$2 ;; *) usage ;; esac
    shift 2
  done
  defaults 1 "uplink1 bundle braid"
  start_lab
  links "rate=5mbit delay=20ms queue=100ms" "rate=2mbit delay=40ms queue=100ms"
  file=$LAB_DIR/upload.json
  for ((round = 1; round <= rounds; ++round)); do
    for way in $ways; do
      way_up "$way"
      # Its end is not waited for: what was taken may need minutes.
      upload_one "$way"
      way_down "$way"
    done
  done
  finish
}

upload_one() { # WAY
  local to_server=$LAB_DIR/upload-server
  rm -f "$to_server"
  lab_in lan "$LAB_PYTHON" "$meter" swallow "$LAB_SERVER4" $server_port "$seconds" "$to_server" >"$file" || lab_fail "upload, $1"
  rate=$([ "$1" = uplink1 ] && echo 5000 || echo 7000)
  rate=$((rate * 142 / 150))
  record upload "5/20 + 2/40" server "taken beyond, s" "$1" "$(of "$file" "d['most'] * 8e-3 / $rate")" less "<= 2"
  record upload "5/20 + 2/40" server "taken beyond, MB" "$1" "$(of "$file" "d['most'] / 1e6")" less
  say "upload: $1: $(of "$file" '"%.2f MB taken beyond what had arrived (%.2f MB)" % (d["most"] / 1e6, d["arrived"] / 1e6)')"
}
