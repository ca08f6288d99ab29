#!/usr/bin/env python3
"""Writes the handmade part of corpus/ip_fuzz: trains of packets in the format ip_fuzz.cpp reads."""
import itertools
import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent
V4 = (bytes([192, 0, 2, 1]), bytes([198, 51, 100, 7]))
V6 = (bytes.fromhex("20010db8" + "00" * 11 + "01"), bytes.fromhex("20010db8" + "00" * 11 + "07"))
FIX, VERIFIED, SUPER, FLUSH = 1, 2, 4, 8


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def pseudo(ends, protocol, length):
    return ends[0] + ends[1] + struct.pack("!IBBH", length, 0, 0, protocol)


def ip4(payload, protocol=6, identification=1, offset=0, more=False, options=b"", ends=V4):
    head = struct.pack("!BBHHHBBH", 0x45 + len(options) // 4, 0, 20 + len(options) + len(payload),
                       identification, (0x2000 if more else 0) | offset // 8, 64, protocol, 0)
    head += ends[0] + ends[1] + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ip6(payload, protocol=6, ends=V6):
    return struct.pack("!IHBB", 0x60000000, len(payload), protocol, 64) + ends[0] + ends[1] + payload


def frag6(payload, protocol, identification, offset, more):
    return struct.pack("!BBHI", protocol, 0, offset | more, identification) + payload


def tcp(ends, data=b"", options=b""):
    head = struct.pack("!HHIIBBHHH", 40000, 443, 1000, 2000, (5 + len(options) // 4) << 4, 0x18, 512,
                       0, 0) + options + data
    ends = ends if len(ends[0]) == 16 else (ends[0], ends[1])
    prefix = pseudo(ends, 6, len(head))
    return head[:16] + struct.pack("!H", checksum(prefix + head)) + head[18:]


def icmp4(kind, code, rest, body):
    message = struct.pack("!BBHI", kind, code, 0, rest) + body
    return ip4(message[:2] + struct.pack("!H", checksum(message)) + message[4:], 1)


def icmp6(kind, code, rest, body):
    message = struct.pack("!BBHI", kind, code, 0, rest) + body
    sum_ = checksum(pseudo(V6, 58, len(message)) + message)
    return ip6(message[:2] + struct.pack("!H", sum_) + message[4:], 58)


def record(packet, control=0, step=1):
    return struct.pack("!BBH", control, step, len(packet)) + packet


def train(*packets, control=0):
    return b"".join(record(p, control) for p in packets)


def pieces(whole, size):
    for at in range(0, len(whole), size):
        yield at, whole[at:at + size], at + size < len(whole)


def seeds():
    data = bytes(range(100))
    t4, t6 = tcp(V4, data), tcp(V6, data)
    yield "tcp4", train(ip4(t4))
    yield "tcp6", train(ip6(t6))
    yield "tcp4-options", train(ip4(t4, options=bytes([1, 1, 1, 1, 148, 4, 0, 0])))
    yield "super", train(ip4(t4), ip6(t6), control=VERIFIED | SUPER)
    yield "bad-checksums", train(ip4(t4[:-1] + b"x"), ip6(t6[:-1] + b"x"))
    yield "fixed-header", train(ip4(t4)[:8] + b"\x11" + ip4(t4)[9:], control=FIX | FLUSH)
    padn, route = bytes([0, 1, 4, 0, 0, 0, 0]), bytes([0, 4, 0, 0, 0, 0, 0])
    alert = bytes([0, 5, 2, 0, 0, 0, 0])
    yield "extensions", train(ip6(bytes([43]) + alert + bytes([60]) + route + bytes([6]) + padn + t6, 0))
    yield "segments-left", train(ip6(bytes([6, 0, 4, 1, 0, 0, 0, 0]) + t6, 43))
    yield "unknown-option", train(ip6(bytes([6, 0, 0x42, 4, 0, 0, 0, 0]) + t6, 60))
    yield "home-address", train(ip6(bytes([6, 0, 0xC9, 4, 0, 0, 0, 0]) + t6, 60))
    yield "atomic", train(ip6(frag6(t6, 6, 7, 0, False), 44))
    yield "twice-fragmented", train(ip6(frag6(frag6(t6, 6, 7, 0, False), 44, 7, 0, False), 44))
    for number, order in enumerate(itertools.permutations(range(3))):
        parts4 = [ip4(p, identification=5, offset=at, more=m) for at, p, m in pieces(t4, 40)]
        parts6 = [ip6(frag6(p, 6, 5, at, m), 44) for at, p, m in pieces(t6, 40)]
        yield f"fragments4-{number}", train(*(parts4[i] for i in order))
        yield f"fragments6-{number}", train(*(parts6[i] for i in order))
    yield "fragments4-options", train(*(ip4(p, identification=5, offset=at, more=m, options=b"\1" * 4)
                                        for at, p, m in pieces(t4, 64)))
    inner = bytes([6]) + padn + t6
    yield "fragments6-inner", train(*(ip6(bytes([44]) + padn + frag6(p, 60, 5, at, m), 60)
                                      for at, p, m in pieces(inner, 64)))
    yield "fragments6-nested", train(*(ip6(frag6(p, 44, 5, at, m), 44)
                                       for at, p, m in pieces(frag6(t6, 6, 9, 8, True), 64)))
    yield "overlap4", train(ip4(t4[:80], more=True), ip4(t4[72:], offset=72), ip4(t4[80:], offset=80))
    yield "overlap6", train(ip6(frag6(t6[:80], 6, 5, 0, True), 44), ip6(frag6(t6[72:], 6, 5, 72, False), 44))
    yield "two-ends", train(ip4(t4[80:], offset=80), ip4(t4[40:80], offset=40), ip4(t4[:40], more=True))
    yield "mixed-protocol", train(ip4(t4[:80], 17, more=True), ip4(t4[80:], 6, offset=80))
    yield "last-byte", train(ip4(b"12345678", offset=65504), ip4(b"12345678", offset=65512, more=True))
    q4, q6 = ip4(tcp(V4)), ip6(tcp(V6))
    for kind, code in [(3, c) for c in range(16)] + [(11, 0), (12, 0), (5, 1), (4, 0), (8, 0), (0, 0)]:
        yield f"icmp4-{kind}-{code}", train(icmp4(kind, code, 1280, q4))
    for kind, code in [(1, c) for c in range(8)] + [(2, 0), (3, 0), (4, 0), (4, 1), (128, 0), (135, 0)]:
        yield f"icmp6-{kind}-{code}", train(icmp6(kind, code, 1280, q6))
    yield "icmp4-udp", train(icmp4(3, 3, 0, ip4(b"\0" * 8, 17)))
    yield "icmp4-later-fragment", train(icmp4(11, 1, 0, ip4(tcp(V4), offset=8)))
    yield "icmp-cut", train(icmp4(3, 3, 0, q4[:27]), icmp6(1, 4, 0, q6[:47]), icmp4(3, 3, 0, b""))
    yield "icmp-other-family", train(icmp4(3, 3, 0, q6), icmp6(1, 4, 0, q4 + q4))
    yield "udp", train(ip4(b"\0" * 12, 17), ip6(b"\0" * 12, 17), ip6(b"", 59))
    hosts = [bytes([224, 0, 0, 1]), b"\xff" * 4, bytes(4), bytes([127, 0, 0, 1])]
    yield "no-host4", train(*(ip4(t4, ends=(h, V4[1])) for h in hosts), *(ip4(t4, ends=(V4[0], h)) for h in hosts))
    hosts = [bytes([0xFF, 2]) + bytes(13) + b"\1", bytes(16), bytes(15) + b"\1", bytes(10) + b"\xff\xff" + V4[0]]
    yield "no-host6", train(*(ip6(t6, ends=(h, V6[1])) for h in hosts), *(ip6(t6, ends=(V6[0], h)) for h in hosts))
    yield "short", train(b"", b"\x45", b"\x60" * 8, ip4(t4)[:19], ip6(t6)[:39], ip4(t4)[:50], ip6(t6)[:50], b"\x50" * 60)
    yield "short-tcp", train(ip4(b"\0" * 19), ip6(b"\0" * 19), ip4(t4[:12] + b"\xf0" + t4[13:40]))


def main():
    folder = HERE / "corpus" / "ip_fuzz"
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in seeds():
        (folder / f"seed-{name}").write_bytes(data)


if __name__ == "__main__":
    main()
