# Addresses come and go: ADD_ADDR, its echo and the join that follows, REMOVE_ADDR; said by the kernel
# and by us.
. "$(dirname "$0")/net.sh"
net_up
random_file up 200000
random_file down 200000

mptcp() { lab_in kern ip mptcp "$@"; }
talk() {
  finish ours us.log "$US_PID"
  finish kernel kernel.log "$KERNEL_PID"
  same up up.got
  same down down.got
  expect us.log mode mptcp
  expect us.log fallbacks 0
  no_complaints
  lab_say "$WHAT: $(all_counters)"
}

# The kernel, a server that wants no joins to its first address (C in its MP_CAPABLE), announces its
# address on the other cable; our second path goes there. Later it takes the address back.
kernel_announces() {
  net_fresh
  WHAT="the kernel announces and removes, IPv$1"
  net_addresses "$1"
  lab_in kern sysctl -qw net.mptcp.allow_join_initial_addr_port=0
  mptcp endpoint add "$KERN2" dev b2 id 7 signal
  capture "kernel-announces-$1"
  start_kernel kernel.log listen "$ANY" $PORT --send "$LAB_DIR/down" --receive "$LAB_DIR/up.got" \
    "${UNTIL_JOINED[@]}" --step "100000:ip mptcp endpoint delete id 7; sleep 0.3"
  start_us us.log client --connect "$KERN1,$PORT" --path "a1,$US1" --path "a2,$US2" \
    --send "$LAB_DIR/up" --receive "$LAB_DIR/down.got" --step 1000:await:2
  talk
  at_least AddAddrTx 1
  at_least EchoAdd 1
  at_least MPJoinAckRx 1
  at_least RmAddrTx 1
  grep -qF ">$(bracket "$KERN2"):" "$LAB_DIR/us.log" || lab_fail "$WHAT: we did not join the announced address"
}

# The kernel announces an address of the other family; our second path has only that one.
other_family() {
  net_fresh
  WHAT="the kernel announces the other family to an IPv$1 connection"
  net_addresses $((10 - $1))
  local ours=$US2 theirs=$KERN2
  net_addresses "$1"
  mptcp endpoint add "$theirs" dev b2 signal
  capture "other-family-$1"
  start_kernel kernel.log listen :: $PORT --send "$LAB_DIR/down" --receive "$LAB_DIR/up.got" "${UNTIL_JOINED[@]}"
  start_us us.log client --connect "$KERN1,$PORT" --path "a1,$US1" --path "a2,$ours" \
    --send "$LAB_DIR/up" --receive "$LAB_DIR/down.got" --step 1000:await:2
  talk
  expect us.log joins 1
  at_least MPJoinAckRx 1
}

# We, a listener, announce our second address to a kernel client, which joins it.
we_announce() {
  net_fresh
  WHAT="we announce, IPv$1"
  net_addresses "$1"
  capture "we-announce-$1"
  start_us us.log listen --port $PORT --path "a1,$US1" --path "a2,$US2" \
    --send "$LAB_DIR/down" --receive "$LAB_DIR/up.got" \
    --step "1000:announce:$US2" --step 1000:await:2
  start_kernel kernel.log connect "$US1" $PORT --local "$KERN1" "${UNTIL_JOINED[@]}" \
    --send "$LAB_DIR/up" --receive "$LAB_DIR/down.got"
  talk
  expect us.log joins 1
  at_least AddAddr 1
  at_least EchoAddTx 1
  at_least MPJoinSynAckRx 1
}

# One of our paths is gone in mid-flow: the kernel is told, and drops the subflow.
we_remove() {
  net_fresh
  WHAT="we remove, IPv$1"
  net_addresses "$1"
  capture "we-remove-$1"
  start_kernel kernel.log listen "$KERN" $PORT --send "$LAB_DIR/down" --receive "$LAB_DIR/up.got" \
    "${UNTIL_JOINED[@]}"
  start_us us.log client --connect "$KERN,$PORT" --path "a1,$US1" --path "a2,$US2" \
    --send "$LAB_DIR/up" --receive "$LAB_DIR/down.got" \
    --step 1000:await:2 --step 100000:remove:2 --step 100000:pause:100
  talk
  at_least MPJoinAckRx 1
  at_least RmAddr 1
}

for family in 4 6; do
  kernel_announces $family
  other_family $family
  we_announce $family
  we_remove $family
done
capture_end
