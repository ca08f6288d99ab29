#!/usr/bin/env python3
"""A peer on the kernel's sockets: MPTCP (or plain TCP), a file out, a file in, and steps in between.

  kernel_peer.py listen  ADDRESS PORT [--send FILE] [--receive FILE] [--step BYTES:COMMAND] ...
  kernel_peer.py connect ADDRESS PORT [--local ADDRESS] [--fastopen BYTES] ...

A step is a shell command, run when so many bytes of both directions have been written and read here,
in the order given; meanwhile nothing is moved. The command "abort" closes with SO_LINGER 0. Prints
"ready" when listening, and key=value lines at the end. Exit: 0 all went as asked, 1 not.
"""
import argparse
import selectors
import socket
import struct
import subprocess
import sys
import time

IPPROTO_MPTCP = 262
MSG_FASTOPEN = 0x20000000
SOL_MPTCP, MPTCP_INFO = 284, 1
PIECE = 256 * 1024


class Exchange:
    def __init__(self, sock, options):
        self.sock = sock
        self.options = options
        self.source = open(options.send, "rb").read() if options.send else b""
        self.sink = open(options.receive, "wb") if options.receive else None
        self.sent = 0
        self.received = 0
        self.steps = [(int(at), what) for at, _, what in (s.partition(":") for s in options.step)]
        self.aborted = False
        self.error = ""

    def run(self):
        """Moves bytes until both directions have ended, or it is broken or aborted."""
        self.sock.setblocking(False)
        deadline = time.monotonic() + self.options.timeout
        reading, writing = True, True
        while (reading or writing) and not self.aborted:
            self.run_steps()
            if self.aborted:
                break
            if writing and self.sent == len(self.source):
                self.sock.shutdown(socket.SHUT_WR)
                writing = False
                continue
            wants_write = writing and self.sent < self.limit()
            if not self.wait(reading, wants_write, deadline):
                self.error = "timed out"
                return
            if wants_write:
                self.write()
            if reading:
                reading = self.read()
        self.run_steps()

    def limit(self):
        if not self.steps:
            return len(self.source)
        return min(len(self.source), max(self.steps[0][0] - self.received, 0))

    def wait(self, reading, writing, deadline):
        with selectors.DefaultSelector() as selector:
            events = (selectors.EVENT_READ if reading else 0) | (selectors.EVENT_WRITE if writing else 0)
            if not events:
                time.sleep(0.005)
                return time.monotonic() < deadline
            selector.register(self.sock, events)
            # A step may be due although this socket is silent.
            return bool(selector.select(max(0, deadline - time.monotonic())))

    def write(self):
        try:
            self.sent += self.sock.send(self.source[self.sent:min(self.limit(), self.sent + PIECE)])
        except BlockingIOError:
            pass

    def read(self):
        try:
            data = self.sock.recv(PIECE)
        except BlockingIOError:
            return True
        if not data:
            return False
        self.received += len(data)
        if self.sink:
            self.sink.write(data)
        return True

    def run_steps(self):
        while self.steps and self.sent + self.received >= self.steps[0][0]:
            _, what = self.steps.pop(0)
            if what == "abort":
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.aborted = True
                return
            subprocess.run(what, shell=True, check=True)

    def report(self):
        try:
            info = self.sock.getsockopt(SOL_MPTCP, MPTCP_INFO, 128)
            # struct mptcp_info: subflows is the first byte, flags the 32-bit word at 8.
            fallback = bool(struct.unpack_from("I", info, 8)[0] & 1) if len(info) >= 12 else True
            mode = "fallback" if fallback else "mptcp"
            subflows = info[0] + 1
        except OSError:
            mode, subflows = "tcp", 1
        return f"mode={mode}\nsubflows={subflows}\n"

    def finish(self):
        lines = self.report()
        self.sock.close()
        if self.sink:
            self.sink.close()
        return (f"{lines}sent={self.sent}\nreceived={self.received}\nsteps_left={len(self.steps)}\n"
                f"error={self.error}\n")


def connect(options, family):
    protocol = socket.IPPROTO_TCP if options.plain else IPPROTO_MPTCP
    sock = socket.socket(family, socket.SOCK_STREAM, protocol)
    if options.local:
        sock.bind((options.local, 0))
    exchange = Exchange(sock, options)
    if options.fastopen:
        exchange.sent = sock.sendto(exchange.source[:options.fastopen], MSG_FASTOPEN,
                                    (options.address, options.port))
    else:
        sock.connect((options.address, options.port))
    return exchange


def listen(options, family):
    protocol = socket.IPPROTO_TCP if options.plain else IPPROTO_MPTCP
    listener = socket.socket(family, socket.SOCK_STREAM, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((options.address, options.port))
    if options.fastopen:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16)
    listener.listen(16)
    print("ready", flush=True)
    listener.settimeout(options.timeout)
    sock, _ = listener.accept()
    # It stays open: with it goes the kernel's readiness to take joins to its port.
    options.listener = listener
    return Exchange(sock, options)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=["listen", "connect"])
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("--send")
    parser.add_argument("--receive")
    parser.add_argument("--local")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--fastopen", type=int, default=0, help="bytes in the SYN; as listener: take them")
    parser.add_argument("--timeout", type=float, default=20)
    parser.add_argument("--step", action="append", default=[])
    options = parser.parse_args()
    family = socket.AF_INET6 if ":" in options.address else socket.AF_INET
    exchange = (connect if options.role == "connect" else listen)(options, family)
    try:
        exchange.run()
    except OSError as error:
        exchange.error = error.strerror
    sys.stdout.write(exchange.finish())
    sys.exit(1 if exchange.error or exchange.steps else 0)


if __name__ == "__main__":
    main()
