# Data in the SYN, without a TFO option: it precedes the data sequence space (RFC 8684 M36), and the
# streams meet.
. "$(dirname "$0")/net.sh"
net_up
random_file up 300000
random_file down 300000

talk() {
  finish ours us.log "$US_PID"
  finish kernel kernel.log "$KERNEL_PID"
  same up up.got
  same down down.got
  expect us.log mode mptcp
  expect us.log joins 1
  no_complaints
  lab_say "$WHAT: $(all_counters)"
}

ours() {
  net_fresh
  WHAT="data in our SYN, IPv$1"
  net_addresses "$1"
  lab_in kern sysctl -qw net.ipv4.tcp_fastopen=0x603
  capture "our-syn-$1"
  start_kernel kernel.log listen "$KERN" $PORT --fastopen 1 \
    --send "$LAB_DIR/down" --receive "$LAB_DIR/up.got" "${UNTIL_JOINED[@]}"
  start_us us.log client --connect "$KERN,$PORT" --path "a1,$US1" --path "a2,$US2" --syn-data 300 \
    --send "$LAB_DIR/up" --receive "$LAB_DIR/down.got" --step 1000:await:2
  talk
  expect us.log syn_refused 0
  [ "$(lab_in kern nstat -asz TcpExtTCPFastOpenPassive | awk '/Passive/ { print $2 }')" = 1 ] ||
    lab_fail "$WHAT: the kernel did not take the data of our SYN"
}

theirs() {
  net_fresh
  WHAT="data in the kernel's SYN, IPv$1"
  net_addresses "$1"
  lab_in kern sysctl -qw net.ipv4.tcp_fastopen=0x407
  lab_in kern ip mptcp endpoint add "$KERN2" dev b2 subflow
  capture "kernel-syn-$1"
  start_us us.log listen --port $PORT --path "a1,$US1" --path "a2,$US2" \
    --send "$LAB_DIR/down" --receive "$LAB_DIR/up.got" --step 1000:await:2
  start_kernel kernel.log connect "$US1" $PORT --local "$KERN1" --fastopen 300 "${UNTIL_JOINED[@]}" \
    --send "$LAB_DIR/up" --receive "$LAB_DIR/down.got"
  talk
  [ "$(lab_in kern nstat -asz TcpExtTCPFastOpenActive | awk '/Active/ { print $2 }')" = 1 ] ||
    lab_fail "$WHAT: we did not take the data of the kernel's SYN"
}

for family in 4 6; do
  ours $family
  theirs $family
done
capture_end
