"""The shared object under test: its table of functions, by ctypes (packetdrill-shim 2.1)."""

import ctypes
import os

P = ctypes.c_void_p
I = ctypes.c_int
Z = ctypes.c_size_t
S = ctypes.c_ssize_t
# Name, result, arguments behind the library's own pointer; in ABI order.
ENTRIES = [
    ("free", None, []), ("socket", I, [I, I, I]), ("bind", I, [I, P, I]), ("listen", I, [I, I]),
    ("accept", I, [I, P, P]), ("connect", I, [I, P, I]), ("read", S, [I, P, Z]),
    ("readv", S, [I, P, I]), ("recv", S, [I, P, Z, I]), ("recvfrom", S, [I, P, Z, I, P, P]),
    ("recvmsg", S, [I, P, I]), ("write", S, [I, P, Z]), ("writev", S, [I, P, I]),
    ("send", S, [I, P, Z, I]), ("sendto", S, [I, P, Z, I, P, I]), ("sendmsg", S, [I, P, I]),
    ("fcntl", I, [I, I, ctypes.c_long]), ("ioctl", I, [I, ctypes.c_ulong, P]), ("close", I, [I]),
    ("shutdown", I, [I, I]), ("getsockopt", I, [I, I, I, P, P]),
    ("setsockopt", I, [I, I, I, P, I]), ("poll", I, [P, ctypes.c_ulong, I]),
    ("netdev_send", I, [P, Z]), ("netdev_receive", I, [P, P, P]),
    ("usleep", I, [ctypes.c_uint]), ("gettimeofday", I, [P, P]), ("epoll_create", I, [I]),
    ("epoll_ctl", I, [I, I, I, P]), ("epoll_wait", I, [I, P, I, I]), ("pipe", I, [P]),
    ("splice", I, [I, P, I, P, Z, ctypes.c_uint]),
]


class Library:
    """Calls by name; results as libc gives them, errno in ctypes.get_errno()."""

    def __init__(self, path, flags=""):
        fields = [("userdata", P)]
        for name, result, arguments in ENTRIES:
            fields.append((name, ctypes.CFUNCTYPE(result, P, *arguments, use_errno=True)))
        table = type("Interface", (ctypes.Structure,), {"_fields_": fields})
        self.table = table()
        library = ctypes.CDLL(path, mode=os.RTLD_NOW | os.RTLD_LOCAL)
        library.packetdrill_interface_init(flags.encode(), ctypes.byref(self.table))

    def call(self, name, *arguments):
        return getattr(self.table, name)(self.table.userdata, *arguments)

    # --- the network half
    def now(self):
        value = (ctypes.c_long * 2)()
        self.call("gettimeofday", ctypes.addressof(value), None)
        return value[0] + value[1] / 1e6

    def sleep(self, seconds):
        self.call("usleep", max(0, int(seconds * 1e6)))

    def send(self, packet):
        self.call("netdev_send", packet, len(packet))

    def receive(self):
        """The next packet and its time; an empty one when none came in ten seconds."""
        buffer = ctypes.create_string_buffer(70000)
        size = Z(len(buffer))
        when = ctypes.c_longlong()
        self.call("netdev_receive", ctypes.addressof(buffer), ctypes.addressof(size),
                  ctypes.addressof(when))
        return buffer.raw[:size.value], when.value / 1e6
