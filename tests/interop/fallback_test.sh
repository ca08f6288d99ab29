# One side has no MPTCP: the connection is plain TCP, and the bytes are right.
. "$(dirname "$0")/net.sh"
net_up
random_file up 2000000
random_file down 2000000

talk() {
  finish ours us.log "$US_PID"
  finish kernel kernel.log "$KERNEL_PID"
  same up up.got
  same down down.got
  expect us.log mode fallback
  expect us.log joins 0
  lab_say "$WHAT: $(sed -n 's/^subflow=//p' "$LAB_DIR/us.log" | tr '\n' ';')"
}

# client WHAT-OPTIONS... -- KERNEL-OPTIONS...
client() {
  local ours=() theirs=() to=ours word
  for word in "$@"; do
    if [ "$word" = -- ]; then to=theirs; elif [ $to = ours ]; then ours+=("$word"); else theirs+=("$word"); fi
  done
  start_kernel kernel.log listen "$KERN" $PORT --send "$LAB_DIR/down" --receive "$LAB_DIR/up.got" "${theirs[@]}"
  start_us us.log client --connect "$KERN,$PORT" --path "a1,$US1" --path "a2,$US2" "${ours[@]}" \
    --send "$LAB_DIR/up" --receive "$LAB_DIR/down.got"
  talk
}
listener() {
  start_us us.log listen --port $PORT --path "a1,$US1" --path "a2,$US2" $1 \
    --send "$LAB_DIR/down" --receive "$LAB_DIR/up.got"
  start_kernel kernel.log connect "$US1" $PORT --local "$KERN1" $2 \
    --send "$LAB_DIR/up" --receive "$LAB_DIR/down.got"
  talk
}

for family in 4 6; do
  net_fresh
  net_addresses $family
  capture "fallback-$family"
  WHAT="our MPTCP client, a plain server, IPv$family"; client -- --plain
  WHAT="our plain client, an MPTCP server, IPv$family"; client --plain --
  WHAT="a plain client, our MPTCP listener, IPv$family"; listener "" --plain
  WHAT="an MPTCP client, our plain listener, IPv$family"; listener --plain ""
done
capture_end
