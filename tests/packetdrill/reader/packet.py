"""IP packets with TCP or ICMP, built and read: what the reader sends into the stack and takes out."""

import hashlib
import hmac
import ipaddress
import struct

FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, ".": 16, "U": 32, "E": 64, "W": 128}


def checksum(data):
    """The Internet checksum of bytes."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def pseudo_header(source, destination, protocol, length):
    if len(source) == 4:
        return source + destination + struct.pack("!BBH", 0, protocol, length)
    return source + destination + struct.pack("!IHBB", length, 0, 0, protocol)


def ip_packet(source, destination, protocol, body, tos=0, ttl=64):
    """A packet between two packed addresses of one family."""
    if len(source) == 4:
        head = struct.pack("!BBHHHBBH4s4s", 0x45, tos, 20 + len(body), 1, 0, ttl, protocol, 0,
                           source, destination)
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
        return head + body
    return struct.pack("!IHBB16s16s", 6 << 28 | tos << 20, len(body), protocol, ttl, source,
                       destination) + body


def tcp_packet(source, destination, sport, dport, seq, ack, flags, window, options, length,
               tos=0, urgent=0):
    """A TCP packet whose payload is `length` zero bytes."""
    options += b"\0" * (-len(options) % 4)
    words = 5 + len(options) // 4
    body = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, words << 4,
                       flags, window, 0, urgent) + options + b"\0" * length
    total = checksum(pseudo_header(source, destination, 6, len(body)) + body)
    body = body[:16] + struct.pack("!H", total) + body[18:]
    return ip_packet(source, destination, 6, body, tos)


def icmp_packet(source, destination, kind, code, mtu, quoted):
    """An ICMP error about `quoted`, the first bytes of a packet."""
    body = struct.pack("!BBHI", kind, code, 0, mtu) + quoted
    protocol = 1 if len(source) == 4 else 58
    prefix = b"" if protocol == 1 else pseudo_header(source, destination, 58, len(body))
    body = body[:2] + struct.pack("!H", checksum(prefix + body)) + body[4:]
    return ip_packet(source, destination, protocol, body)


class Tcp:
    """One TCP packet the stack has sent."""

    def __init__(self, data):
        if data[0] >> 4 == 4:
            start = (data[0] & 15) * 4
            self.source, self.destination = data[12:16], data[16:20]
            self.protocol, self.tos, self.ttl = data[9], data[1], data[8]
            self.sound = checksum(data[:start]) == 0
        else:
            start = 40
            self.source, self.destination = data[8:24], data[24:40]
            self.protocol, self.ttl = data[6], data[7]
            self.tos = (data[0] << 8 | data[1]) >> 4 & 255
            self.sound = True
        if self.protocol != 6:
            return
        tcp = data[start:]
        (self.sport, self.dport, self.seq, self.ack, words, self.flags, self.window, _,
         self.urgent) = struct.unpack("!HHIIBBHHH", tcp[:20])
        size = (words >> 4) * 4
        self.options = parse_options(tcp[20:size])
        self.payload = tcp[size:]
        head = pseudo_header(self.source, self.destination, 6, len(tcp))
        self.sound = self.sound and checksum(head + tcp) == 0


def parse_options(area):
    """A list of (kind, value bytes)."""
    out = []
    while area:
        if area[0] in (0, 1):
            out.append((area[0], b""))
            area = area[1:]
        else:
            out.append((area[0], area[2:area[1]]))
            area = area[max(area[1], 2):]
    return out


# ---- RFC 8684 3.1, 3.2: what follows from keys

def token(key):
    return hashlib.sha256(struct.pack("!Q", key)).digest()[:4]


def initial_data_sequence(key):
    return struct.unpack("!Q", hashlib.sha256(struct.pack("!Q", key)).digest()[24:])[0]


def join_hmac(sender, receiver, sender_nonce, receiver_nonce):
    return hmac.new(struct.pack("!QQ", sender, receiver), sender_nonce + receiver_nonce,
                    hashlib.sha256).digest()


def address_hmac(sender, receiver, address_id, address, port):
    message = bytes([address_id]) + address + struct.pack("!H", port)
    return hmac.new(struct.pack("!QQ", sender, receiver), message, hashlib.sha256).digest()[-8:]


def packed(text):
    return ipaddress.ip_address(text).packed
