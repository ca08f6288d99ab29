# Backup subflows: the flag of a join, and MP_PRIO later on, said by the kernel and by us. While the
# other subflow works, a backup carries nothing of the stream.
. "$(dirname "$0")/net.sh"
net_up
random_file up 2000000
random_file down 2000000

# share_of ENDS FIGURE: of the subflow whose ends hold this text, as we count.
share_of() { grep -F "$1" "$LAB_DIR/us.log" | sed -n "s/^subflow=.* $2=\([0-9]*\).*/\1/p" | head -1; }
# stays_idle WHO ENDS FIGURE: the backup carried nothing. Of the kernel two bursts more are taken:
# what it had queued there before, and what it sends once more when a busy machine acknowledges late.
stays_idle() {
  local bytes most=0; bytes=$(share_of "$2" "$3")
  [ "$1" != "the kernel" ] || most=200000
  [ -n "$bytes" ] && [ "$bytes" -le "$most" ] ||
    lab_fail "$WHAT: $1 sent '$bytes' bytes over the backup: $(cat "$LAB_DIR/us.log")"
}
talk() {
  finish ours us.log "$US_PID"
  finish kernel kernel.log "$KERNEL_PID"
  same up up.got
  same down down.got
  expect us.log mode mptcp
  expect us.log joins 1
  no_complaints
  lab_say "$WHAT: $(sed -n 's/^subflow=//p' "$LAB_DIR/us.log" | tr '\n' ';') $(all_counters)"
}

# Our second path joins as a backup: neither side uses it.
we_join_as_backup() {
  net_fresh
  WHAT="we join as backup, IPv$1"
  net_addresses "$1"
  capture "we-backup-$1"
  start_kernel kernel.log listen "$KERN" $PORT --send "$LAB_DIR/down" --receive "$LAB_DIR/up.got" \
    "${UNTIL_JOINED[@]}"
  start_us us.log client --connect "$KERN,$PORT" --path "a1,$US1" --path "a2,$US2,backup" \
    --send "$LAB_DIR/up" --receive "$LAB_DIR/down.got" --step 1000:await:2
  talk
  at_least MPJoinSynBackupRx 1
  stays_idle "our client" "$US2" out
  stays_idle "the kernel" "$US2" in
}

# The second path becomes a backup once it is there, regular again, and a backup for good.
we_change_priority() {
  net_fresh
  WHAT="we change the priority, IPv$1"
  net_addresses "$1"
  capture "we-prio-$1"
  start_kernel kernel.log listen "$KERN" $PORT --send "$LAB_DIR/down" --receive "$LAB_DIR/up.got" \
    "${UNTIL_JOINED[@]}"
  start_us us.log client --connect "$KERN,$PORT" --path "a1,$US1" --path "a2,$US2" \
    --send "$LAB_DIR/up" --receive "$LAB_DIR/down.got" \
    --step 1000:await:2 --step 1000:backup:2 --step 1000:pause:20 --step 1000:regular:2 \
    --step 1000:pause:20 --step 1000:backup:2 --step 1000:pause:50 --step 1000:mark:0
  talk
  at_least MPPrioRx 3
  stays_idle "our client" "$US2" after_out
  stays_idle "the kernel" "$US2" after_in
}

# The kernel client's second endpoint is made a backup in mid-flow: we stop sending there.
kernel_changes_priority() {
  net_fresh
  WHAT="the kernel changes the priority, IPv$1"
  net_addresses "$1"
  lab_in kern ip mptcp endpoint add "$KERN2" dev b2 id 9 subflow
  capture "kernel-prio-$1"
  start_us us.log listen --port $PORT --path "a1,$US1" --path "a2,$US2" \
    --send "$LAB_DIR/down" --receive "$LAB_DIR/up.got" --step 1000:await:2 --step 1500000:mark:0
  start_kernel kernel.log connect "$US1" $PORT --local "$KERN1" \
    --send "$LAB_DIR/up" --receive "$LAB_DIR/down.got" \
    "${UNTIL_JOINED[@]}" --step "1000:ip mptcp endpoint change id 9 backup; sleep 0.1"
  talk
  at_least MPPrioTx 1
  # Before it said so the kernel had read 1000 bytes, and its buffer is far from the mark.
  stays_idle "our listener" ":$PORT>$(bracket "$KERN2")" after_out
  stays_idle "the kernel" ":$PORT>$(bracket "$KERN2")" after_in
}

for family in 4 6; do
  we_join_as_backup $family
  we_change_priority $family
  kernel_changes_priority $family
done
capture_end
