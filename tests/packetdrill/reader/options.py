"""TCP options as scripts write them, to bytes and back into comparison. Holds what MPTCP needs."""

import re
import struct

from packet import address_hmac, initial_data_sequence, join_hmac, packed, token

MASK32, MASK64 = 0xFFFFFFFF, (1 << 64) - 1


class Subflow:
    """What one TCP connection's scripted numbers stand for."""

    def __init__(self):
        self.local = self.remote = None      # (packed address, port); local is the stack's
        self.local_isn = self.remote_isn = 0  # live, of the SYNs
        self.script_local_isn = self.script_remote_isn = 0
        self.timestamps = {}                 # scripted -> live, of the stack's
        self.first_timestamp = None
        self.window_shift = 0
        self.local_nonce = self.remote_nonce = b"\1\2\3\4"
        self.synchronized = False


class Context:
    """One MPTCP connection's keys, and the addresses scripts name."""

    def __init__(self):
        self.local_key = self.remote_key = None
        self.addresses = {}
        self.told_address = None  # of the ADD_ADDR in the packet that is compared
        self.segment_seq = 0  # of the packet whose options are read
        self.defined = {}  # what the command line says names stand for
        self.named = None  # (name, whether it is the stack's) -> packed address

    def data_sequence(self, key, relative):
        return (initial_data_sequence(key) + relative) & MASK64


def words(text):
    """An option's words; values in brackets stay together."""
    return re.findall(r"[\w.]+=?\[[^\]]*\]|[\w./]+=\w+\([^)]*\)|[\w./:=\"()-]+", text)


def encode(text, subflow, context, inbound):
    """(kind, value bytes) of each option. Values only the stack knows are None when outbound."""
    out = []
    for part in split_options(text):
        out.extend(encode_one(part, subflow, context, inbound))
    return out


def split_options(text):
    out, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += (c == "[") - (c == "]")
        if c == "," and depth == 0:
            out.append(text[start:i].strip())
            start = i + 1
    return [part for part in out + [text[start:].strip()] if part]


def encode_one(text, subflow, context, inbound):
    name = words(text)[0].lower()
    if name in SIMPLE:
        return [SIMPLE[name](text)]
    if name == "ts":
        found = re.search(r"val\s+(\d+)\s+ecr\s+(\d+)", text)
        return [(8, ("ts", int(found.group(1)), int(found.group(2))))]
    if name == "sack":
        blocks = [(int(a), int(b)) for a, b in re.findall(r"(\d+):(\d+)", text)]
        return [(5, ("sack", blocks))]
    if name in ("fo", "foexp"):
        told = words(text)[1:]
        cookie = bytes.fromhex(context.defined.get(told[0], told[0])) if told else b""
        return [(34, cookie) if name == "fo" else (254, b"\xf9\x89" + cookie)]
    if name == "md5":
        return [(19, bytes(16))]
    return [(30, MPTCP[name](text, subflow, context, inbound))]


SIMPLE = {
    "nop": lambda t: (1, b""),
    "eol": lambda t: (0, b""),
    "mss": lambda t: (2, struct.pack("!H", int(words(t)[1]))),
    "wscale": lambda t: (3, bytes([int(words(t)[1])])),
    "sackok": lambda t: (4, b""),
}


def number(text, name):
    found = re.search(r"\b%s=?\s*=?\s*(\d+)" % name, text)
    return int(found.group(1)) if found else None


# ---- MPTCP: `inbound` packets are the peer's; its key is context.remote_key.

def mp_capable(text, subflow, context, inbound):
    version = int(re.search(r"\bv(\d)", text).group(1))
    flags = 0
    for letter in re.findall(r"flag_([a-h])", text):
        flags |= 0x80 >> (ord(letter) - ord("a"))
    written = re.search(r"\bflags\s+(0x[0-9a-fA-F]+|\d+)", text)
    out = bytes([version, int(written.group(1), 0) if written else flags])
    keys = re.search(r"\bkey\[([^\]]*)\]", text)
    names = [n.strip() for n in keys.group(1).split(",")] if keys else []
    values = [int(name.split("=")[1], 0) if "=" in name else None for name in names]
    if values and values[-1] is not None:
        context.remote_key = values[-1]
    elif values and values[0] is not None:
        context.remote_key = values[0]
    if names and inbound and context.remote_key is None:
        context.remote_key = 2  # any will do: the script has no number for it
    mine, other = (context.remote_key, context.local_key)
    if not inbound:
        mine, other = other, mine
    for told, key in zip(values, (mine, other)):
        key = key if told is None else told
        if key is None:
            return None
        out += struct.pack("!Q", key)
    length = number(text, "mpcdatalen")
    return out if length is None else out + struct.pack("!H", length)


def dss(text, subflow, context, inbound):
    mine, other = context.remote_key, context.local_key
    if not inbound:
        mine, other = other, mine
    flags, body = 0, b""
    ack = re.search(r"\bdack([48])=(\d+)", text)
    if ack:
        value = context.data_sequence(other, int(ack.group(2)))
        flags |= 1 if ack.group(1) == "4" else 3
        body += struct.pack("!I", value & MASK32) if ack.group(1) == "4" else struct.pack("!Q", value)
    mapping = re.search(r"\bdsn([48])=(\d+)", text)
    if mapping:
        value = context.data_sequence(mine, int(mapping.group(2)))
        flags |= 4 if mapping.group(1) == "4" else 12
        body += struct.pack("!I", value & MASK32) if mapping.group(1) == "4" else struct.pack("!Q", value)
        ssn = number(text, "ssn")  # left out: where the segment stands
        body += struct.pack("!IH", context.segment_seq if ssn is None else ssn,
                            number(text, "dll") or 0)
    if re.search(r"\bfin\b", text):
        flags |= 16
    return bytes([0x20, flags]) + body


def join_syn(text, subflow, context, inbound):
    backup = number(text, "backup") or 0
    key = context.local_key if inbound else context.remote_key
    nonce = subflow.remote_nonce if inbound else subflow.local_nonce
    return bytes([0x10 | backup, number(text, "address_id") or 0]) + token(key) + nonce


def join_syn_ack(text, subflow, context, inbound):
    backup = number(text, "backup") or 0
    sender, receiver = context.remote_key, context.local_key
    nonces = subflow.remote_nonce, subflow.local_nonce
    if not inbound:
        sender, receiver, nonces = receiver, sender, nonces[::-1]
    return (bytes([0x10 | backup, number(text, "address_id") or 0]) +
            join_hmac(sender, receiver, *nonces)[:8] + nonces[0])


def join_ack(text, subflow, context, inbound):
    sender, receiver = context.remote_key, context.local_key
    nonces = subflow.remote_nonce, subflow.local_nonce
    if not inbound:
        sender, receiver, nonces = receiver, sender, nonces[::-1]
    return bytes([0x10, 0]) + join_hmac(sender, receiver, *nonces)[:20]


def add_address(text, subflow, context, inbound):
    named = re.search(r"addr\[(\w+)(?:=inet6?_addr\(\"([^\"]+)\"\))?\]", text)
    known = context.addresses.get(named.group(1))
    if named.group(2):
        address = packed(named.group(2))
    elif known is None and not inbound and context.told_address is not None:
        address = context.told_address  # a new name stands for what the stack says
    else:
        address = context.named(named.group(1), not inbound)
    context.addresses.setdefault(named.group(1), address)
    address_id = number(text, "address_id")
    address_id = 1 if address_id is None else address_id
    port = number(text, "port") or 0
    echo = "addr_echo" in text
    out = bytes([0x30 | (0 if echo else 0) | (1 if echo else 0), address_id]) + address
    if port:
        out += struct.pack("!H", port)
    if echo:
        return out
    sender, receiver = context.remote_key, context.local_key
    if not inbound:
        sender, receiver = receiver, sender
    return out + address_hmac(sender, receiver, address_id, address, port)


def remove_address(text, subflow, context, inbound):
    ids = re.search(r"\[([^\]]*)\]", text).group(1)
    return bytes([0x40]) + bytes(int(i) for i in ids.split(","))


def prio(text, subflow, context, inbound):
    out = bytes([0x50 | (number(text, "backup") or 0)])
    address_id = number(text, "address_id")
    return out if address_id is None else out + bytes([address_id])


def fail(text, subflow, context, inbound):
    key = context.local_key if inbound else context.remote_key
    return bytes([0x60, 0]) + struct.pack("!Q", context.data_sequence(key, number(text, "dsn8") or 1))


def fastclose(text, subflow, context, inbound):
    key = context.local_key if inbound else context.remote_key
    told = number(text, r"\w*key")
    return bytes([0x70, 0]) + struct.pack("!Q", key if told is None else told)


def reset(text, subflow, context, inbound):
    found = re.search(r"(\d+)", text)
    return bytes([0x80, int(found.group(1)) if found else 0])


MPTCP = {
    "mpcapable": mp_capable, "mp_capable": mp_capable, "dss": dss, "mp_join_syn": join_syn,
    "mp_join_syn_ack": join_syn_ack, "mp_join_ack": join_ack, "add_address": add_address,
    "remove_address": remove_address, "mp_prio": prio, "mp_fail": fail,
    "mp_fastclose": fastclose, "mp_reset": reset,
}


def learn(options, subflow, context, is_syn):
    """Takes keys and nonces from a packet of the stack's."""
    context.told_address = None
    for kind, value in options:
        if kind != 30 or not value:
            continue
        if value[0] >> 4 == 3:
            context.told_address = value[2:6 if len(value) < 18 else 18]
        subtype = value[0] >> 4
        if subtype == 0 and len(value) >= 10:
            context.local_key = struct.unpack("!Q", value[2:10])[0]
        elif subtype == 1 and is_syn:
            subflow.local_nonce = value[-4:]
