# Our client, two uplinks, a kernel server: bytes both ways at once, the second subflow in use, with
# and without DSS checksums, asked for by either side.
. "$(dirname "$0")/net.sh"
net_up
random_file up "$BULK"
random_file down "$BULK"

# exchange WHAT CHECKSUM: CHECKSUM is none, kernel or ours.
exchange() {
  net_fresh
  WHAT="our client, IPv$1, checksum $2"
  net_addresses "$1"
  [ "$2" != kernel ] || lab_in kern sysctl -qw net.mptcp.checksum_enabled=1
  local ours=()
  [ "$2" != ours ] || ours=(--checksum)
  capture "client-$1-$2"
  start_kernel server.log listen "$KERN" $PORT --send "$LAB_DIR/down" --receive "$LAB_DIR/up.got"
  start_us us.log client --connect "$KERN,$PORT" --path "a1,$US1" --path "a2,$US2" "${ours[@]}" \
    --send "$LAB_DIR/up" --receive "$LAB_DIR/down.got" --step 1000:await:2
  finish client us.log "$US_PID"
  finish server server.log "$KERNEL_PID"
  same up up.got
  same down down.got
  expect us.log mode mptcp
  expect us.log joins 1
  expect us.log fallbacks 0
  expect server.log mode mptcp
  at_least MPCapableACKRX 1
  at_least MPJoinSynRx 1
  at_least MPJoinAckRx 1
  no_complaints
  lab_say "$WHAT: $((2 * BULK)) bytes; $(sed -n 's/^subflow=//p' "$LAB_DIR/us.log" | tr '\n' ';') $(all_counters)"
}

for family in 4 6; do
  for checksum in none kernel ours; do exchange $family $checksum; done
done
capture_end
