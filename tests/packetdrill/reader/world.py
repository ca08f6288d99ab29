"""The far end of a script: addresses, sequence numbers and options, scripted and live."""

import socket
import struct

import options as tcp_options
from packet import FLAGS, Tcp, icmp_packet, packed, tcp_packet
from calls import Mismatch

ISN = 0x7A000000  # the far end's live numbers begin here: they wrap early where scripts count far
ECN = {"noecn": (0,), "ect1": (1,), "ect0": (2,), "ect01": (1, 2), "ce": (3,)}  # bits
ICMP_ERRORS = {  # name: (v4 type, code), (v6 type, code)
    "net_unreachable": ((3, 0), (1, 0)), "host_unreachable": ((3, 1), (1, 3)),
    "protocol_unreachable": ((3, 2), (4, 1)), "port_unreachable": ((3, 3), (1, 4)),
    "frag_needed": ((3, 4), (2, 0)), "packet_too_big": ((3, 4), (2, 0)),
    "admin_prohibited": ((3, 13), (1, 1)), "source_route_failed": ((3, 5), (1, 0)),
}


class World:
    def __init__(self, library, settings):
        self.library = library
        self.mapped = settings.get("ip_version") == "ipv4-mapped-ipv6"
        self.ipv6 = self.mapped or settings.get("ip_version") == "ipv6"  # the sockets
        self.local_ip = packed(settings["local_ip"])
        self.remote_ip = packed(settings["remote_ip"])
        self.bind_port, self.connect_port, self.far_port = 8080, 8080, 40000
        self.context = tcp_options.Context()
        self.context.named = self.named
        self.context.defined = settings.get("defined", {})
        self.subflows = {}  # by the number scripts give: 0 for the first
        self.current = 0
        self.awaiting_syn = False
        self.listening = False  # the next SYN of the far end's is of a new connection

    def sockaddr(self, which):
        ip = self.local_ip if which == "local" else self.remote_ip
        port = self.bind_port if which == "local" else self.connect_port
        if self.mapped:
            ip = bytes(10) + b"\xff\xff" + ip
        if self.ipv6:
            return struct.pack("=HHI16sI", socket.AF_INET6, socket.htons(port), 0, ip, 0)
        return struct.pack("=HH4s8x", socket.AF_INET, socket.htons(port), ip)

    def connecting(self):
        """The next SYN of the stack's opens a connection of its own."""
        self.awaiting_syn = True

    # --- which subflow

    def named(self, name, local):
        """The address of a name like caddr1: the end's first address, plus its digit."""
        base = self.local_ip if local else self.remote_ip
        digits = "".join(c for c in name if c.isdigit())
        number = int.from_bytes(base, "big") + int(digits or 0)
        address = number.to_bytes(len(base), "big")
        return self.context.addresses.setdefault(name, address)

    def choose(self, event, outbound):
        segment = event.segment
        self.context.segment_seq = int(segment["seq"])
        names = [n for n in (segment["from"], segment["to"]) if n]
        syn = "S" in segment["flags"] and segment["ack"] is None
        if not names:
            # Without names a SYN is of a new connection, anything else of the one before.
            if syn and not outbound and self.listening:
                self.listening = False
                self.fresh(self.current)
            return self.subflows.setdefault(self.current, tcp_options.Subflow())
        index = max(int("".join(c for c in n if c.isdigit()) or 0) for n in names)
        self.current = index
        subflow = self.subflows.setdefault(index, tcp_options.Subflow())
        if segment["from"]:
            self.named(segment["from"], outbound)
        if segment["to"]:
            self.named(segment["to"], not outbound)
        return subflow

    def fresh(self, index):
        self.far_port += 1
        self.subflows[index] = tcp_options.Subflow()

    # --- into the stack

    def inject(self, event):
        if event.icmp:
            return self.inject_icmp(event)
        segment = event.segment
        subflow = self.choose(event, False)
        syn = "S" in segment["flags"]
        if syn and segment["ack"] is None and subflow.local is None:
            names = segment["from"], segment["to"]
            far = self.named(names[0], False) if names[0] else self.remote_ip
            here = self.named(names[1], True) if names[1] else self.local_ip
            subflow.remote = (far, self.far_port + self.current)
            subflow.local = (here, self.bind_port)
        if syn:
            subflow.remote_isn = ISN
            subflow.script_remote_isn = int(segment["seq"])
            subflow.synchronized = True
        seq = self.to_live(int(segment["seq"]), syn, subflow.remote_isn, subflow.script_remote_isn)
        ack = 0
        if "." in segment["flags"]:  # without a number: that of our SYN
            ack = int(segment["ack"] or 0) + subflow.local_isn
        flags = sum(FLAGS[f] for f in segment["flags"] if f in FLAGS and f != "-")
        area = self.option_bytes(event, subflow)
        tos = ECN.get(segment["ecn"], (0,))[0] if segment["tos"] is None else segment["tos"]
        self.library.send(tcp_packet(
            subflow.remote[0], subflow.local[0], subflow.remote[1], subflow.local[1], seq, ack,
            flags, int(segment["win"] or 0), area, int(segment["len"]), tos))

    def to_live(self, number, syn, live_isn, script_isn):
        """A SYN's number is the scripted ISN; later ones count from it as zero."""
        return live_isn if syn else live_isn + number

    def option_bytes(self, event, subflow):
        if not event.options or event.options == "...":
            return b""
        out = b""
        for kind, what in tcp_options.encode(event.options, subflow, self.context, True):
            if kind in (0, 1):
                out += bytes([kind])
                continue
            if kind == 8:
                what = struct.pack("!II", what[1], self.live_echo(subflow, what[2]))
            elif kind == 5:
                what = b"".join(struct.pack("!II", (a + subflow.local_isn) & 0xFFFFFFFF,
                                            (b + subflow.local_isn) & 0xFFFFFFFF)
                                for a, b in what[1])
            out += bytes([kind, len(what) + 2]) + what
        return out

    def live_echo(self, subflow, scripted):
        if scripted in subflow.timestamps:
            return subflow.timestamps[scripted]
        if subflow.first_timestamp is None or scripted == 0:
            return scripted
        first_script, first_live = subflow.first_timestamp
        return (scripted - first_script + first_live) & 0xFFFFFFFF

    def inject_icmp(self, event):
        told = event.icmp
        subflow = self.subflows[self.current]
        family = 0 if len(subflow.local[0]) == 4 else 1
        kind, code = ICMP_ERRORS[told["name"] or "net_unreachable"][family]
        seq = subflow.local_isn + int(told["seq"] or 0)
        quoted = tcp_packet(subflow.local[0], subflow.remote[0], subflow.local[1],
                            subflow.remote[1], seq, 0, 16, 0, b"", 0)
        quoted = quoted[:28 if family == 0 else 48]
        self.library.send(icmp_packet(subflow.remote[0], subflow.local[0], kind, code,
                                      int(told["mtu"] or 0), quoted))

    # --- out of the stack

    def expect(self, event, tolerance, when):
        """Takes one scripted packet, perhaps in several segments. Its time, live."""
        segment = event.segment
        subflow = self.choose(event, True)
        wanted = int(segment["len"])
        taken, packet, moment, first_seq = 0, None, None, None
        while True:
            packet, moment = self.next_of(event, subflow)
            subflow = self.subflows[self.current]
            if first_seq is None:
                first_seq = packet.seq
            taken += len(packet.payload)
            if taken >= wanted:
                break
        if taken != wanted:
            raise Mismatch("payload: expected %d bytes, got %d" % (wanted, taken))
        self.compare(event, subflow, packet, first_seq)
        return moment

    def next_of(self, event, subflow):
        segment = event.segment
        while True:
            data, moment = self.library.receive()
            if not data:
                raise Mismatch("nothing left within ten seconds")
            packet = Tcp(data)
            if packet.protocol != 6:
                continue
            if not packet.sound:
                raise Mismatch("a checksum is wrong")
            if self.verbose:
                print("  out %.6f flags %#x seq %d ack %d length %d win %d %s" % (
                    moment, packet.flags, (packet.seq - subflow.local_isn) & 0xFFFFFFFF,
                    (packet.ack - subflow.remote_isn) & 0xFFFFFFFF, len(packet.payload),
                    packet.window, [(k, v.hex()) for k, v in packet.options if k > 1]))
            if self.is_new_syn(event, packet, subflow):
                return packet, moment
            if self.awaiting_syn and "S" in segment["flags"] and segment["ack"] is None:
                continue  # of a connection before the one that opens
            here = (packet.source, packet.sport), (packet.destination, packet.dport)
            if not segment["from"] and not segment["to"]:
                subflow = self.any_subflow(here, subflow)  # without names, any of the connection's
            if here == (subflow.local, subflow.remote):
                if "S" in segment["flags"] and packet.flags & 2:
                    subflow.local_isn = packet.seq
                return packet, moment

    verbose = False

    def any_subflow(self, here, subflow):
        for index, other in self.subflows.items():
            if here == (other.local, other.remote) and here != (subflow.local, subflow.remote):
                self.current = index
                return other
        return subflow

    def is_new_syn(self, event, packet, subflow):
        bare_syn = "S" in event.segment["flags"] and event.segment["ack"] is None
        if not bare_syn or packet.flags & 0x17 != 2:
            return False
        fresh = self.awaiting_syn or subflow.local is None
        if not fresh:
            return False
        self.awaiting_syn = False
        if subflow.synchronized:
            self.subflows[self.current] = subflow = tcp_options.Subflow()
        else:
            subflow.__init__()
        subflow.local = (packet.source, packet.sport)
        subflow.remote = (packet.destination, packet.dport)
        subflow.local_isn = packet.seq
        subflow.synchronized = True
        return True

    def compare(self, event, subflow, packet, first_seq):
        subflow = self.subflows[self.current]
        segment = event.segment
        wanted = sum(FLAGS[f] for f in segment["flags"] if f in FLAGS)
        if packet.flags != wanted:
            raise Mismatch("flags: expected %#x, got %#x" % (wanted, packet.flags))
        seq = (first_seq - subflow.local_isn) & 0xFFFFFFFF
        if not packet.flags & 2 and seq != int(segment["seq"]):
            raise Mismatch("seq: expected %s, got %d" % (segment["seq"], seq))
        if segment["ack"] is not None:
            base = subflow.script_remote_isn if packet.flags & 2 else 0
            ack = (packet.ack - subflow.remote_isn + base) & 0xFFFFFFFF
            if not packet.flags & 16:
                ack = packet.ack  # nothing to count from
            if ack != int(segment["ack"]):
                raise Mismatch("ack: expected %s, got %d" % (segment["ack"], ack))
        if segment["win"] is not None and int(segment["win"]) != packet.window:
            raise Mismatch("window: expected %s, got %d" % (segment["win"], packet.window))
        if segment["ecn"] is not None and packet.tos & 3 not in ECN[segment["ecn"]]:
            raise Mismatch("ECN: expected %s, got %d" % (segment["ecn"], packet.tos & 3))
        for name, got in ("tos", packet.tos), ("ttl", packet.ttl):
            if segment[name] is not None and segment[name] != got:
                raise Mismatch("%s: expected %#x, got %#x" % (name, segment[name], got))
        tcp_options.learn(packet.options, subflow, self.context, bool(packet.flags & 2))
        self.compare_options(event, subflow, packet)

    @staticmethod
    def is_join_answer(wanted, packet):
        return packet.flags & 18 == 18 and wanted is not None and len(wanted) == 14 and \
            wanted[0] >> 4 == 1

    def compare_options(self, event, subflow, packet):
        live = packet.options
        scripted = event.options or ""
        if scripted == "...":
            return
        wanted = tcp_options.encode(scripted, subflow, self.context, False)
        if [k for k, _ in wanted] != [k for k, _ in live]:
            raise Mismatch("options: expected kinds %s, got %s" % (
                [k for k, _ in wanted], [(k, v.hex()) for k, v in live]))
        for (kind, what), (_, value) in zip(wanted, live):
            if kind == 8:
                stamp, _ = struct.unpack("!II", value)
                subflow.timestamps[what[1]] = stamp
                if subflow.first_timestamp is None:
                    subflow.first_timestamp = (what[1], stamp)
            elif kind == 5:
                got = [tuple((n - subflow.remote_isn) & 0xFFFFFFFF for n in pair)
                       for pair in struct.iter_unpack("!II", value)]
                if got != what[1]:
                    raise Mismatch("SACK: expected %s, got %s" % (what[1], got))
            elif kind == 30 and self.is_join_answer(what, packet):
                # Any id of its own address will do.
                if what[:1] + what[2:] != value[:1] + value[2:]:
                    raise Mismatch("MP_JOIN: expected %s, got %s" % (what.hex(), value.hex()))
            elif what is not None and what != value:
                raise Mismatch("option %d: expected %s, got %s" % (kind, what.hex(), value.hex()))
