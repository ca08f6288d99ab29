#!/usr/bin/env python3
"""Writes the handmade part of the fuzz corpora: one file seed-<name> per line of the tables below.

Inputs found by the fuzzer lie beside them under the names it gave. Run after changing a table.
"""
import pathlib

KEYS = "0706050403020100 1716151413121110"
V6 = "20010db8000000000000000000000007"
TS = "0101080a0102030405060708"

MPTCP = {
    "capable-syn": "0181", "capable-synack": "0101 0706050403020100", "capable-ack": "0101" + KEYS,
    "capable-data": "0101" + KEYS + "0590", "capable-data-checksum": "0181" + KEYS + "0590a097",
    "join-syn": "1101 5b8a59c8 7b643596", "join-synack": "1003 7678473337b7da53 3b67d497",
    "join-ack": "1000 e2a529d6feed56cc224ad363d3afe9c3224a21ad",
    "dss-none": "2000", "dss-ack4": "2001 01020304", "dss-ack8": "2003 0102030405060708",
    "dss-map4": "2004 00000011 00000001 0064", "dss-map8": "200c 0000001100000011 00000001 0064",
    "dss-all": "201f 0102030405060708 1112131415161718 00000000 0001 beef",
    "add-v4": "3005 c0000207 94b96ea1822b6f52", "add-v4-port": "3005 c0000207 2263 94b96ea1822b6f52",
    "add-v6": "3005" + V6 + "94b96ea1822b6f52", "add-v6-port": "3005" + V6 + "2263 94b96ea1822b6f52",
    "echo-v4": "3105 c0000207", "echo-v4-port": "3105 c0000207 2263",
    "echo-v6": "3105" + V6, "echo-v6-port": "3105" + V6 + "2263",
    "remove": "40 010203", "remove-most": "40" + "07" * 37, "prio": "51",
    "fail": "6000 0102030405060708", "fastclose": "7000 0706050403020100", "tcprst": "8106",
    "unassigned": "9000", "capable-bad-length": "0101 07", "join-bad-length": "1101 5b8a59c8",
    "dss-bad-length": "2001 0102", "dss-short": "20", "add-bad-length": "3005 c0000207 94",
    "add-odd-length": "3105 c00002070102", "remove-none": "40", "prio-long": "5100",
    "fail-short": "6000 01", "fastclose-short": "7000 01", "tcprst-short": "81",
}


def mptcp(name):
    body = bytes.fromhex(MPTCP[name])
    return "1e%02x" % (2 + len(body)) + body.hex()


OPTIONS = {
    "syn": "020405b4 0402 080a0102030405060708 01 030307" + mptcp("capable-syn"),
    "syn-no-ts": "020405b4 0101 0402 01 030307" + mptcp("capable-syn"),
    "syn-tfo": "020405b4 0101 0402 01 030307 220a0102030405060708 0101" + mptcp("capable-syn"),
    "tfo-request": "020405b4 2202 0101", "ack": TS, "sack": TS + "0101 051a" + "00000001" * 6,
    "sack-four": "0101 0522" + "00000001" * 8, "dss-ack": TS + mptcp("dss-ack8"),
    "dss-all": TS + mptcp("dss-all"), "two-mptcp": TS + mptcp("dss-ack4") + mptcp("prio") + "01",
    "packed-add": "080a0102030405060708" + mptcp("add-v6-port"),
    "unknown": "1302 1d04aabb fd02 fe02 4002", "end": "00 020405b4", "bad-length": "020405b4 0301",
    "past-end": "020405b4 0309", "cut": "020405b4 03", "wrong-sizes": "0203aa 0403aa 0502 2203aa 080301",
    "bad-mptcp": "1e05200000 01", "window-scale-long": "030401aa",
}

CONVERT = {
    "header-only": "01012263", "info": "01022263 01010000", "user-data": "01022263 01010000 474554",
    "connect": "01062263 0a0501bb 00000000000000000000ffffc0000201",
    "connect-v6": "01062263 0a050050" + V6,
    "connect-extended": "01082263 0a070050" + V6 + "1e02 220601020304",
    "connect-padding": "01082263 0a0701bb 00000000000000000000ffffc0000201 011e0200 01040200",
    "connect-bad-option": "01072263 0a0601bb 00000000000000000000ffffc0000201 1e050000",
    "connect-cut-option": "01072263 0a0601bb 00000000000000000000ffffc0000201 0101011e",
    "connect-short": "01052263 0a0401bb 00000000 00000000 00000000",
    "tcp-header": "01042263 14030000 020405b4 1e040101", "supported": "01042263 15030000 04081e22 03000000",
    "cookie": "01052263 16030000 0102030405060708 01010000", "error": "01022263 1e016103",
    "error-echo": "01042263 1e030200 01022263 63010000", "error-list": "01032263 1e02211d 13000000",
    "many": "01092263 0a0501bb 00000000000000000000ffffc0000201 15010000 14010000 1e010000",
    "bad-magic": "01022264 01010000", "bad-version": "02022263", "zero-length": "01002263",
    "duplicate": "01032263 01010000 01010000", "type-zero": "01022263 00010000",
    "unassigned": "01022263 63010000", "tlv-zero": "01022263 01000000",
    "tlv-long": "01022263 16020000 01020304", "info-long": "01032263 01020000 00000000",
    "cut": "01062263 0a0501bb", "short": "0106",
}

TCP = "01bb c350 000003e8 000007d0 %s 0200 0000 0000"


def ipv4(protocol, fragment, payload, options=""):
    body = bytes.fromhex(payload)
    extra = bytes.fromhex(options)
    length = 20 + len(extra) + len(body)
    head = bytearray.fromhex("4503 %04x 1234 %s 3f%s 0000 c0000201 c6336402" % (length, fragment, protocol))
    head[0] = 0x40 | (20 + len(extra)) // 4
    head += extra
    total = sum(int.from_bytes(head[i:i + 2], "big") for i in range(0, len(head), 2))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    head[10:12] = (0xffff - total).to_bytes(2, "big")
    return (bytes(head) + body).hex()


def ipv6(following, payload):
    body = bytes.fromhex(payload)
    return "6a3bcdef%04x%s40" % (len(body), following) + V6 + V6 + body.hex()


ACK = TCP % "5010" + "68656c6c6f"
SYN = TCP % "a002" + OPTIONS["syn-no-ts"]
SEGMENT = {
    "v4-ack": "00" + ACK, "v6-ack": "01" + ACK, "v4-syn": "00" + SYN, "v6-syn": "01" + SYN,
    "all-flags": "00" + TCP % "50ff", "dss": "00" + TCP % "f018" + OPTIONS["dss-all"] + "aabbcc",
    "offset-short": "00" + TCP % "4010", "offset-long": "00" + TCP % "f010", "cut": "00 01bbc350",
    "ip4": "02" + ipv4("06", "4000", ACK), "ip4-options": "02" + ipv4("06", "4000", ACK, "01010100"),
    "ip4-fragment": "02" + ipv4("06", "2002", ACK), "ip4-udp": "02" + ipv4("11", "0000", "0035003500080000"),
    "ip4-bad-sum": "02" + ipv4("06", "4000", ACK).replace("c0000201", "c0000202"),
    "ip4-cut": "02" + ipv4("06", "4000", ACK)[:60], "ip4-tiny": "02 4500",
    "ip6": "02" + ipv6("06", ACK), "ip6-extensions": "02" + ipv6("00", "3c00010400000000 0601010c" + "00" * 12 + ACK),
    "ip6-routing": "02" + ipv6("2b", "0600000000000000" + ACK),
    "ip6-fragment-first": "02" + ipv6("2c", "06000001deadbeef" + ACK),
    "ip6-fragment-later": "02" + ipv6("2c", "00000010deadbeef" + ACK),
    "ip6-extension-cut": "02" + ipv6("00", "06ff010400000000"), "ip6-extension-tiny": "02" + ipv6("00", "060001"),
    "ip6-cut": "02" + ipv6("06", ACK)[:90], "ip6-tiny": "02 6000", "not-ip": "02 50",
}

TABLES = {
    "mptcp_options_fuzz": MPTCP,
    "tcp_options_fuzz": OPTIONS,
    "convert_fuzz": CONVERT,
    "tcp_segment_fuzz": SEGMENT,
}


def main():
    corpus = pathlib.Path(__file__).parent / "corpus"
    for target, table in TABLES.items():
        folder = corpus / target
        folder.mkdir(parents=True, exist_ok=True)
        for stale in folder.glob("seed-*"):
            stale.unlink()
        for name, text in table.items():
            (folder / ("seed-" + name)).write_bytes(bytes.fromhex(text))


if __name__ == "__main__":
    main()
