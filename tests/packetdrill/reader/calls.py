"""System calls of scripts, made on the library, results compared."""

import ctypes
import errno
import fcntl
import re
import select
import socket
import struct

from script import split

MORE = {
    "IPPROTO_MPTCP": 262, "SOL_MPTCP": 284, "MSG_FASTOPEN": 0x20000000, "TCP_FASTOPEN": 23,
    "TCP_FASTOPEN_CONNECT": 30, "TCP_FASTOPEN_KEY": 33, "TCP_FASTOPEN_NO_COOKIE": 34,
    "TCP_USER_TIMEOUT": 18, "TCP_NOTSENT_LOWAT": 25, "TCP_CORK": 3, "TCP_DEFER_ACCEPT": 9,
    "SIOCINQ": 0x541B, "SIOCOUTQ": 0x5411, "SIOCOUTQNSD": 0x894B, "FIONREAD": 0x541B,
    "O_RDWR": 2, "O_NONBLOCK": 0o4000, "EPOLLET": 1 << 31, "EPOLLONESHOT": 1 << 30,
    "EPOLL_CTL_ADD": 1, "EPOLL_CTL_DEL": 2, "EPOLL_CTL_MOD": 3, "SOL_TCP": 6, "SOL_IP": 0, "SOL_IPV6": 41, "TCP_CONGESTION": 13, "MSG_EOR": 0x80,
    "MSG_ZEROCOPY": 0x4000000, "SPLICE_F_NONBLOCK": 2, "IPV6_TCLASS": 67, "TCP_MD5SIG": 14,
    "SO_ZEROCOPY": 60, "SO_EE_ORIGIN_ZEROCOPY": 5, "SO_EE_CODE_ZEROCOPY_COPIED": 1,
    "TCP_INQ": 36, "TCP_CM_INQ": 36, "TCP_IS_MPTCP": 43, "IP_MTU_DISCOVER": 10,
    "IP_PMTUDISC_DONT": 0, "IP_PMTUDISC_WANT": 1, "IP_PMTUDISC_DO": 2, "IP_PMTUDISC_PROBE": 3,
    "IPV6_MTU_DISCOVER": 23, "IP_RECVERR": 11, "IPV6_RECVERR": 25, "NULL": 0,
    "IP_FREEBIND": 15, "IP_TTL": 2, "AF_PACKET": 17,
    "TCP_THIN_LINEAR_TIMEOUTS": 16, "TCP_TX_DELAY": 37, "SO_MAX_PACING_RATE": 47,
}
FAMILY_NAMES = {"CMSG_LEVEL_IP": ("SOL_IP", "SOL_IPV6"),
                "CMSG_TYPE_RECVERR": ("IP_RECVERR", "IPV6_RECVERR")}
SLACK = 4096  # bytes of a buffer beyond what a script names


class Unsupported(Exception):
    pass


class Mismatch(Exception):
    pass


def symbol(name):
    if name in MORE:
        return MORE[name]
    for module in (socket, select, fcntl, errno):
        if hasattr(module, name):
            return int(getattr(module, name))
    raise Unsupported("symbol " + name)


def value(text):
    """An integer expression: numbers and names joined with |."""
    total = 0
    for part in text.strip("()").split("|"):
        part = part.strip()
        total |= int(part, 0) if re.match(r"-?\d", part) else symbol(part)
    return total


def fields(text):
    """{a=1, b=X} as a dict of texts."""
    out = {}
    for part in split(text.strip()[1:-1]):
        name, _, what = part.partition("=")
        out[name.strip()] = what.strip()
    return out


class Calls:
    def __init__(self, library, world):
        self.library, self.world = library, world
        self.numbers = {}  # scripted descriptor -> live
        self.under_test = -1  # the live one %{ }% blocks ask

    def fd(self, text):
        return self.numbers.get(value(text), value(text) if value(text) < 0 else 1 << 20)

    def run(self, event):
        """Makes the call; (result, errno)."""
        handler = getattr(self, "do_" + event.name, None)
        if handler is None:
            raise Unsupported("system call " + event.name)
        ctypes.set_errno(0)
        result = handler(event.arguments, event.expected)
        return result, ctypes.get_errno() if result == -1 else 0

    def check(self, event, result, number):
        if event.expected is None:
            return
        creates = event.name in ("socket", "accept", "epoll_create") and event.expected >= 0
        if creates and result >= 0:
            self.numbers[event.expected] = result
            if event.name != "epoll_create":
                self.under_test = result
            return
        if result != event.expected:
            raise Mismatch("%s: expected %d, got %d %s" % (
                event.name, event.expected, result, errno.errorcode.get(number, "")))
        if event.errno and errno.errorcode.get(number) != event.errno and \
                number != getattr(errno, event.errno):
            raise Mismatch("%s: expected %s, got %s" % (
                event.name, event.errno, errno.errorcode.get(number)))

    # --- opening and closing
    def do_socket(self, a, _):
        family = socket.AF_INET6 if self.world.ipv6 else socket.AF_INET
        return self.library.call("socket", family, value(a[1]), value(a[2]))

    def address(self, which):
        return self.world.sockaddr(which)

    def do_bind(self, a, _):
        data = self.address("local")
        return self.library.call("bind", self.fd(a[0]), data, len(data))

    def do_listen(self, a, _):
        self.world.listening = True
        return self.library.call("listen", self.fd(a[0]), value(a[1]))

    def do_accept(self, a, _):
        return self.library.call("accept", self.fd(a[0]), None, None)

    def do_connect(self, a, _):
        if "AF_UNSPEC" in a[1]:
            return self.library.call("connect", self.fd(a[0]), bytes(16), 16)
        if a[1].startswith("AF_"):  # a family alone
            data = struct.pack("=H14x", value(a[1]))
            return self.library.call("connect", self.fd(a[0]), data, len(data))
        data = self.address("remote")
        self.world.connecting()
        return self.library.call("connect", self.fd(a[0]), data, len(data))

    def do_close(self, a, _):
        return self.library.call("close", self.fd(a[0]))

    def do_shutdown(self, a, _):
        return self.library.call("shutdown", self.fd(a[0]), value(a[1]))

    # --- bytes
    def take(self, name, a, *more):
        size = value(a[2])
        buffer = ctypes.create_string_buffer(size + SLACK)
        place = None if a[1] == "NULL" else ctypes.addressof(buffer)
        return self.library.call(name, self.fd(a[0]), place, size, *more)

    def do_read(self, a, _):
        return self.take("read", a)

    def do_recv(self, a, _):
        return self.take("recv", a, value(a[3]))

    def do_recvfrom(self, a, _):
        return self.take("recvfrom", a, value(a[3]), None, None)

    def give(self, a):
        """The bytes to write: zeroes, or a pointer to nowhere."""
        return None if a[1] == "NULL" else bytes(value(a[2]))

    def do_write(self, a, _):
        return self.library.call("write", self.fd(a[0]), self.give(a), value(a[2]))

    def do_send(self, a, _):
        return self.library.call("send", self.fd(a[0]), self.give(a), value(a[2]), value(a[3]))

    def do_sendto(self, a, _):
        data = self.address("remote") if a[4] == "..." else None
        if a[4].startswith("AF_"):  # a family alone
            data = struct.pack("=H14x", value(a[4]))
        flags = value(a[3])
        if flags & MORE["MSG_FASTOPEN"]:
            self.world.connecting()
        return self.library.call("sendto", self.fd(a[0]), self.give(a), value(a[2]), flags,
                                 data, len(data) if data else 0)

    def parts(self, text):
        """iovec[] of [{..., 100}, {..., 200}], with what keeps it alive."""
        sizes = [value(split(part[1:-1])[1]) for part in split(text[1:-1])]
        buffers = [ctypes.create_string_buffer(size + 1) for size in sizes]
        table = b"".join(struct.pack("QQ", ctypes.addressof(b), s) for b, s in zip(buffers, sizes))
        return table, buffers, len(sizes)

    def do_readv(self, a, _):
        table, keep, count = self.parts(a[1])
        return self.library.call("readv", self.fd(a[0]), table, count)

    def do_writev(self, a, _):
        table, keep, count = self.parts(a[1])
        return self.library.call("writev", self.fd(a[0]), table, count)

    def message(self, text, named):
        """msghdr of {msg_name(...)=..., msg_iov(1)=[...], ...}, and what it points to."""
        told = re.search(r"msg_iov\(\d+\)=(\[.*?\}\])", text, re.S)
        table, keep, count = self.parts(told.group(1))
        table = ctypes.create_string_buffer(table)
        address = ctypes.create_string_buffer(self.address("remote")) if named else None
        size = len(self.address("remote")) if named else 0
        control = ctypes.create_string_buffer(SLACK)
        asked = SLACK if "msg_control" in text else 0
        data = struct.pack("QI4xQQQQi4x", ctypes.addressof(address) if named else 0, size,
                           ctypes.addressof(table), count,
                           ctypes.addressof(control) if asked else 0, asked, 0)
        return data, control, (table, keep, address)

    def do_sendmsg(self, a, _):
        fast = "MSG_FASTOPEN" in a[2]
        if fast:
            self.world.connecting()
        data, control, keep = self.message(a[1], fast)
        return self.library.call("sendmsg", self.fd(a[0]), data, value(a[2]))

    def do_recvmsg(self, a, _):
        data, control, keep = self.message(a[1], False)
        data = ctypes.create_string_buffer(data)
        result = self.library.call("recvmsg", self.fd(a[0]), ctypes.addressof(data), value(a[2]))
        if result >= 0:
            length, flags = struct.unpack_from("Qi", data, 40)
            told = re.search(r"msg_flags=([\w|]+)", a[1])
            if told and value(told.group(1)) != flags:
                raise Mismatch("recvmsg: expected %s, got flags %#x" % (told.group(), flags))
            self.compare_control(a[1], control.raw[:length])
        return result

    def compare_control(self, text, got):
        """Control messages: level, type and data of each, in order."""
        told = re.search(r"msg_control=(\[.*\])", text, re.S)
        wanted = b""
        for part in split(told.group(1)[1:-1]) if told else []:
            message = fields(part)
            level, kind = (FAMILY_NAMES.get(message[name], (message[name],) * 2)[self.world.ipv6]
                           for name in ("cmsg_level", "cmsg_type"))
            data = self.control_data(message["cmsg_data"])
            one = struct.pack("Qii", 16 + len(data), value(level), value(kind)) + data
            wanted += one + bytes(-len(one) % 8)
        if wanted and wanted != got[:len(wanted)].ljust(len(wanted), b"\0"):
            raise Mismatch("control: expected %s, got %s" % (wanted.hex(), got.hex()))

    def control_data(self, text):
        if not text.startswith("{"):
            return struct.pack("i", value(text))
        told = {name: value(what) for name, what in fields(text).items()}
        data = struct.pack("=IBBBxII", told["ee_errno"], told["ee_origin"], told["ee_type"],
                           told["ee_code"], told["ee_info"], told["ee_data"])
        return data + bytes(28 if self.world.ipv6 else 16)  # the offender: nobody

    # --- options
    def do_fcntl(self, a, _):
        return self.library.call("fcntl", self.fd(a[0]), value(a[1]),
                                 value(a[2]) if len(a) > 2 else 0)

    def option_bytes(self, text):
        if text.startswith("["):
            return struct.pack("i", struct.unpack("i", struct.pack("I", value(text[1:-1]) &
                                                                   0xFFFFFFFF))[0])
        if text.startswith("{"):
            told = fields(text)
            if "onoff" in told:
                return struct.pack("ii", value(told["onoff"]), value(told["linger"]))
        if text.startswith('"'):
            return text[1:-1].encode().decode("unicode_escape").encode("latin-1") + b"\0"
        raise Unsupported("option value " + text)

    def do_setsockopt(self, a, _):
        data = self.option_bytes(a[3])
        size = value(a[4])
        return self.library.call("setsockopt", self.fd(a[0]), value(a[1]), value(a[2]), data, size)

    def do_getsockopt(self, a, _):
        buffer = ctypes.create_string_buffer(512)
        size = ctypes.c_uint(value(a[4][1:-1]) if a[4] != "..." else 512)
        result = self.library.call("getsockopt", self.fd(a[0]), value(a[1]), value(a[2]),
                                   ctypes.addressof(buffer), ctypes.addressof(size))
        if a[3].startswith("[") and result == 0:
            got = struct.unpack("I", buffer.raw[:4])[0]
            if got != value(a[3][1:-1]) & 0xFFFFFFFF:
                raise Mismatch("getsockopt: expected %s, got %d" % (a[3], got))
        return result

    def do_ioctl(self, a, _):
        out = ctypes.c_int(-1)
        result = self.library.call("ioctl", self.fd(a[0]), value(a[1]), ctypes.addressof(out))
        if len(a) > 2 and result == 0 and out.value != value(a[2].strip("[]")):
            raise Mismatch("ioctl: expected %s, got %d" % (a[2], out.value))
        return result

    # --- events
    def do_poll(self, a, _):
        told = [fields(part) for part in split(a[0][1:-1])]
        table = ctypes.create_string_buffer(b"".join(
            struct.pack("ihh", self.fd(t["fd"]), value(t["events"]), 0) for t in told))
        result = self.library.call("poll", ctypes.addressof(table), len(told), value(a[2]))
        for i, t in enumerate(told):
            got = struct.unpack_from("ihh", table, 8 * i)[2]
            if got != value(t.get("revents", "0")):
                raise Mismatch("poll: expected %s, got %#x" % (t.get("revents"), got))
        return result

    def do_epoll_create(self, a, _):
        return self.library.call("epoll_create", value(a[0]))

    def do_epoll_ctl(self, a, _):
        told = fields(a[3]) if a[3].startswith("{") else {}
        event = struct.pack("=IQ", value(told.get("events", "0")), value(told.get("fd", "0")))
        return self.library.call("epoll_ctl", self.fd(a[0]), value(a[1]), self.fd(a[2]), event)

    def do_epoll_wait(self, a, _):
        size = value(a[2])
        table = ctypes.create_string_buffer(12 * max(size, 1))
        result = self.library.call("epoll_wait", self.fd(a[0]), ctypes.addressof(table), size,
                                   value(a[3]))
        told = fields(a[1]) if a[1].startswith("{") else {}
        if result > 0:
            got = struct.unpack_from("=IQ", table)[0]
            if got != value(told.get("events", "0")):
                raise Mismatch("epoll_wait: expected %s, got %#x" % (told.get("events"), got))
        return result

    def do_pipe(self, a, _):
        fds = (ctypes.c_int * 2)()
        result = self.library.call("pipe", ctypes.addressof(fds))
        for scripted, live in zip(split(a[0][1:-1]), fds):
            self.numbers[value(scripted)] = live
        return result

    def do_splice(self, a, _):
        return self.library.call("splice", self.fd(a[0]), None, self.fd(a[2]), None, value(a[4]),
                                 value(a[5]))
