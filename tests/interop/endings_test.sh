# Abrupt ends reach the other side as such, over every subflow: MP_FASTCLOSE by us and by the kernel.
. "$(dirname "$0")/net.sh"
net_up
random_file up 400000
random_file down 400000

start_pair() {
  start_kernel kernel.log listen "$KERN" $PORT --send "$LAB_DIR/down" --receive "$LAB_DIR/up.got" \
    "${UNTIL_JOINED[@]}" "$@"
}

# Our client aborts: the kernel's application reads ECONNRESET.
we_abort() {
  net_fresh
  WHAT="we abort, IPv$1"
  net_addresses "$1"
  capture "we-abort-$1"
  start_pair
  start_us us.log client --connect "$KERN,$PORT" --path "a1,$US1" --path "a2,$US2" \
    --send "$LAB_DIR/up" --receive "$LAB_DIR/down.got" --step 1000:await:2 --step 100000:abort
  finish client us.log "$US_PID"
  wait "$KERNEL_PID" && lab_fail "$WHAT: the kernel's side saw no reset"
  expect kernel.log error "Connection reset by peer"
  at_least MPFastcloseRx 1
  at_least MPRstRx 1
  no_complaints
  lab_say "$WHAT: $(all_counters)"
}

# The kernel aborts: our connection ends as reset, at once.
kernel_aborts() {
  net_fresh
  WHAT="the kernel aborts, IPv$1"
  net_addresses "$1"
  capture "kernel-aborts-$1"
  start_pair --step 100000:abort
  start_us us.log client --connect "$KERN,$PORT" --path "a1,$US1" --path "a2,$US2" --timeout 5 \
    --send "$LAB_DIR/up" --receive "$LAB_DIR/down.got" --step 1000:await:2
  finish kernel kernel.log "$KERNEL_PID"
  wait "$US_PID" && lab_fail "$WHAT: our side saw no reset"
  expect us.log closed "reset by peer"
  at_least MPFastcloseTx 1
  no_complaints
  lab_say "$WHAT: $(all_counters)"
}

for family in 4 6; do
  we_abort $family
  kernel_aborts $family
done
capture_end
