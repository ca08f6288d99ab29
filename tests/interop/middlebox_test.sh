# A box on the way, played by nftables on the kernel's side: it strips MPTCP options or changes
# payload. Our client, a kernel server; what the box leaves of the bytes is what arrives.
. "$(dirname "$0")/net.sh"
net_up
random_file up 1000000
random_file down 1000000

# box CHAIN RULE: "in" is what comes from us, "out" what goes to us.
box() {
  local hook=prerouting port=dport
  [ "$1" = in ] || { hook=output; port=sport; }
  lab_in kern nft -f - <<END || lab_cannot "this nft cannot play a middlebox"
table inet box { chain $1 { type filter hook $hook priority raw; tcp $port $PORT $2; }; }
END
}
# talk PATHS [ARGUMENT...]: our client over one path or two; both must end well.
talk() {
  local paths=(--path "a1,$US1")
  [ "$1" = 1 ] || paths+=(--path "a2,$US2" --step 1000:await:2)
  local hold=("${UNTIL_JOINED[@]}")
  [ "$1" = 2 ] || hold=()
  shift
  start_kernel kernel.log listen "$KERN" $PORT --send "$LAB_DIR/down" --receive "$LAB_DIR/up.got" "${hold[@]}"
  start_us us.log client --connect "$KERN,$PORT" "${paths[@]}" "$@" \
    --send "$LAB_DIR/up" --receive "$LAB_DIR/down.got"
  finish ours us.log "$US_PID"
  finish kernel kernel.log "$KERNEL_PID"
  lab_say "$WHAT: $(all_counters)"
}
begin() {
  net_fresh
  WHAT="$2, IPv$1"
  net_addresses "$1"
  capture "box-$(echo "$2" | tr -c 'a-z\n' -)-$1"
}
expect_fallback() {
  same up up.got
  same down down.got
  expect us.log mode fallback
  expect us.log fallbacks 1
}

STRIP="reset tcp option mptcp"
# Four bytes of the payload of one super-packet, once: what is sent before the join is smaller.
CORRUPT="meta length > 3000 limit rate 1/hour burst 1 packets @ih,800,32 set 0xdeadbeef"

for family in 4 6; do
  begin $family "options stripped from our SYN"
  box in "tcp flags syn / syn,ack $STRIP"
  talk 1
  expect_fallback

  begin $family "options stripped from the SYN-ACK"
  box out "tcp flags syn,ack / syn,ack $STRIP"
  talk 1
  expect_fallback

  begin $family "options stripped from all we send after the SYN"
  box in "tcp flags & syn == 0 $STRIP"
  talk 1
  expect_fallback

  begin $family "options stripped from all the kernel sends after the SYN-ACK"
  box out "tcp flags & syn == 0 $STRIP"
  talk 1
  expect_fallback

  # With another subflow the changed mapping comes again there, and the bytes are right.
  begin $family "our payload changed, two subflows"
  box in "$CORRUPT"
  talk 2 --checksum
  same up up.got
  same down down.got
  expect us.log mode mptcp
  at_least DataCsumErr 1
  at_least MPFailTx 1

  begin $family "the kernel's payload changed, two subflows"
  box out "$CORRUPT"
  talk 2 --checksum
  same up up.got
  same down down.got
  expect us.log mode mptcp
  expect us.log checksum_failures 1
  at_least MPFailRx 1

  # Alone, a subflow goes on as plain TCP, with the bytes as they came. The kernel says MP_FAIL only
  # when it has seen a right sum before.
  begin $family "our payload changed, one subflow"
  box in "$CORRUPT"
  talk 1 --checksum --step 1000:pause:0
  same down down.got
  [ "$(cmp -l "$LAB_DIR/up" "$LAB_DIR/up.got" | wc -l)" -le 4 ] || lab_fail "$WHAT: more differs than was changed"
  expect us.log mode fallback
  at_least MPFailTx 1
done
capture_end
