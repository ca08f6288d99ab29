#!/bin/bash
# The lab itself, without braid: one TCP connection of the kernel over the first emulated uplink gets
# its rate and its round trip time, and the bytes arrive as they left.
set -u
. "$(dirname "$0")/topology.sh"
lab_require
lab_up
lab_nginx
lab_file file 20000000
lab_masquerade on

rtt=$(lab_in lan ping -q -i 0.05 -c 20 198.51.100.2 | sed -n 's|^rtt [^=]*= [^/]*/\([^/]*\)/.*|\1|p')
echo "round trip time over dsl: $rtt ms (emulated: 20)"
for url in http://198.51.100.2/file 'http://[2001:db8:6::2]/file'; do
  speed=$(lab_in lan curl -gso "$LAB_DIR/got" -w '%{speed_download}' "$url") || lab_fail "curl $url"
  [ "$(lab_sum "$LAB_DIR/got")" = "$(lab_sum "$LAB_DIR/www/file")" ] || lab_fail "wrong bytes from $url"
  echo "$url: $((${speed%.*} * 8 / 1000)) kbit/s (emulated: 50000)"
done
lab_in lan curl -gsST "$LAB_DIR/www/file" http://198.51.100.2/up/file || lab_fail "upload"
[ "$(lab_sum "$LAB_DIR/www/up/file")" = "$(lab_sum "$LAB_DIR/www/file")" ] || lab_fail "wrong bytes sent"

lab_spawn srv iperf.log iperf3 -s -1
lab_wait_until 5 lab_in srv sh -c "ss -ltn | grep -q :5201" || lab_fail "iperf3 server"
lab_in lan iperf3 -c 198.51.100.2 -R -t 5 -f m | grep receiver || lab_fail "iperf3"

lab_link_down dsl
lab_in lan curl -s -m 2 -o /dev/null http://198.51.100.2/file && lab_fail "a link that is down carries"
[ "$(lab_link_stat dsl up dropped_down)" -gt 0 ] || lab_fail "nothing was dropped by a link that is down"
lab_link_up dsl
lab_in lan curl -s -m 10 -o /dev/null http://198.51.100.2/file || lab_fail "a link that is up again does not carry"
lab_link_down dsl carrier
lab_wait_until 2 lab_in gw sh -c '[ "$(cat /sys/class/net/wan1/carrier)" = 0 ]' || lab_fail "carrier stays"
lab_link_up dsl
lab_wait_until 2 lab_in gw sh -c '[ "$(cat /sys/class/net/wan1/carrier)" = 1 ]' || lab_fail "carrier is lost"
