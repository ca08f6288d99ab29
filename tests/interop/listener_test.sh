# A kernel client with a second subflow endpoint, our listener: bytes both ways at once over two
# subflows, with and without DSS checksums, asked for by either side.
. "$(dirname "$0")/net.sh"
net_up
random_file up "$BULK"
random_file down "$BULK"

exchange() {
  net_fresh
  WHAT="our listener, IPv$1, checksum $2"
  net_addresses "$1"
  [ "$2" != kernel ] || lab_in kern sysctl -qw net.mptcp.checksum_enabled=1
  lab_in kern ip mptcp endpoint add "$KERN2" dev b2 subflow
  local ours=()
  [ "$2" != ours ] || ours=(--checksum)
  capture "listener-$1-$2"
  start_us us.log listen --port $PORT --path "a1,$US1" --path "a2,$US2" "${ours[@]}" \
    --send "$LAB_DIR/down" --receive "$LAB_DIR/up.got" --step 1000:await:2
  start_kernel client.log connect "$US1" $PORT --local "$KERN1" \
    --send "$LAB_DIR/up" --receive "$LAB_DIR/down.got"
  finish client client.log "$KERNEL_PID"
  finish listener us.log "$US_PID"
  same up up.got
  same down down.got
  expect us.log mode mptcp
  expect us.log joins 1
  expect us.log fallbacks 0
  expect client.log mode mptcp
  at_least MPCapableSYNACKRX 1
  at_least MPJoinSynAckRx 1
  no_complaints
  lab_say "$WHAT: $((2 * BULK)) bytes; $(sed -n 's/^subflow=//p' "$LAB_DIR/us.log" | tr '\n' ';') $(all_counters)"
}

for family in 4 6; do
  for checksum in none kernel ours; do exchange $family $checksum; done
done
capture_end
