#!/usr/bin/env python3
"""One end of a TCP connection that does exactly what it is told, for tests/lab.

  peer.py connect [OPTIONS] ADDRESS PORT ACTION...   one connection
  peer.py listen PORT ACTION...                      the same for every connection that comes in
  peer.py udp-echo PORT, peer.py udp-ask ADDRESS PORT
  peer.py forget-connections                         the namespace's connection tracking, all of it

Actions, in order: send:BYTES  recv:BYTES  recv-eof  shut  reset  close  sleep:SECONDS  payload (the
first send travels in the SYN)  trickle (a byte every 50 ms until something ends it).
Options: source=PORT  timeout=SECONDS (of the connect)  family order follows from ADDRESS.

What is sent is a fixed pattern, and what is received is compared with it. Each step that ends
otherwise than it should prints one line, "ACTION: what happened", with the time since the start;
"done" is printed when all went well, and only then is the exit status of `connect` 0.
"""
import errno
import hashlib
import socket
import struct
import sys
import threading
import time

# Of prime length, so that no misplaced block looks right.
PATTERN = hashlib.shake_256(b"lab").digest(1000003)
MSG_FASTOPEN = 0x20000000
TCP_FASTOPEN_NO_COOKIE = 34


class Ended(Exception):
    """What ended the conversation, in a word."""


def name_of(error):
    if isinstance(error, socket.timeout) or error.errno is None:
        return "timed-out"
    return {
        errno.ECONNREFUSED: "refused", errno.EHOSTUNREACH: "host-unreachable",
        errno.ENETUNREACH: "net-unreachable", errno.EACCES: "prohibited",
        errno.ETIMEDOUT: "timed-out", errno.ECONNRESET: "reset", errno.EPIPE: "reset",
    }.get(error.errno, errno.errorcode.get(error.errno, str(error.errno)))


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class Conversation:
    def __init__(self, sock):
        self.sock = sock
        self.sent = 0
        self.received = 0

    def pattern(self, position, length):
        start = position % len(PATTERN)
        return (PATTERN[start:start + length] + PATTERN)[:length] if start + length > len(PATTERN) \
            else PATTERN[start:start + length]

    def take(self, most):
        data = self.sock.recv(min(most, 65536))
        if data != self.pattern(self.received, len(data)):
            raise Ended("wrong bytes behind %d" % self.received)
        self.received += len(data)
        return len(data)

    def act(self, action):
        verb, _, argument = action.partition(":")
        if verb == "send":
            end = self.sent + int(argument)
            while self.sent < end:
                self.sent += self.sock.send(self.pattern(self.sent, min(65536, end - self.sent)))
        elif verb == "recv":
            end = self.received + int(argument)
            while self.received < end:
                if self.take(end - self.received) == 0:
                    raise Ended("eof after %d" % self.received)
        elif verb == "recv-eof":
            while self.take(65536):
                pass
        elif verb == "trickle":
            while True:
                self.sock.send(b"x")
                self.sock.settimeout(0.05)
                try:
                    if self.sock.recv(65536) == b"":
                        raise Ended("eof")
                except socket.timeout:
                    pass
        elif verb == "shut":
            self.sock.shutdown(socket.SHUT_WR)
        elif verb == "reset":
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.sock.close()
        elif verb == "close":
            self.sock.close()
        elif verb == "sleep":
            time.sleep(float(argument))
        else:
            raise SystemExit("peer.py: %r is no action" % action)

    def run(self, actions):
        for action in actions:
            try:
                self.act(action)
            except OSError as error:
                raise Ended("%s: %s" % (action, name_of(error)))
            except Ended as ended:
                raise Ended("%s: %s" % (action, ended))


def say(start, text):
    print("%s %.0f ms" % (text, (time.monotonic() - start) * 1000), flush=True)


def connect(words):
    options = {"timeout": "60"}
    while "=" in words[0]:
        key, _, value = words.pop(0).partition("=")
        options[key] = value
    address, port, actions = words[0], int(words[1]), words[2:]
    sock = socket.socket(family_of(address), socket.SOCK_STREAM)
    sock.settimeout(float(options["timeout"]))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if "source" in options:
        sock.bind(("", int(options["source"])))
    talk = Conversation(sock)
    start = time.monotonic()
    try:
        if actions[:1] == ["payload"]:
            sock.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 1)
            length = int(actions[1].partition(":")[2])
            talk.sent = sock.sendto(talk.pattern(0, length), MSG_FASTOPEN, (address, port))
            actions = actions[2:]
        else:
            sock.connect((address, port))
    except OSError as error:
        say(start, name_of(error))
        return 1
    say(start, "connected")
    try:
        talk.run(actions)
    except Ended as ended:
        say(start, str(ended))
        return 1
    say(start, "done")
    return 0


def listen(words):
    port, actions = int(words[0]), words[1:]
    server = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True,
                                  backlog=1024)

    def serve(sock, peer):
        start = time.monotonic()
        print("accepted %s %d" % (peer[0].replace("::ffff:", ""), peer[1]), flush=True)
        try:
            Conversation(sock).run(actions)
            say(start, "done")
        except Ended as ended:
            say(start, str(ended))
        sock.close()

    print("listening", flush=True)
    while True:
        sock, peer = server.accept()
        sock.settimeout(60)
        threading.Thread(target=serve, args=(sock, peer), daemon=True).start()


def udp_echo(words):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.bind(("::", int(words[0])))
    while True:
        data, peer = sock.recvfrom(65536)
        sock.sendto(data, peer)


def udp_ask(words):
    sock = socket.socket(family_of(words[0]), socket.SOCK_DGRAM)
    sock.settimeout(2)
    question = PATTERN[:1000]
    sock.sendto(question, (words[0], int(words[1])))
    return 0 if sock.recv(65536) == question else 1


def forget_connections(_):
    """What a NAT does that was restarted."""
    netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)  # NETLINK_NETFILTER
    conntrack_delete, request_and_ack = 1 << 8 | 2, 5
    netlink.send(struct.pack("=IHHII4B", 20, conntrack_delete, request_and_ack, 1, 0, 0, 0, 0, 0))
    error = struct.unpack("=i", netlink.recv(4096)[16:20])[0]
    return 1 if error else 0


if __name__ == "__main__":
    ROLES = {"connect": connect, "listen": listen, "udp-echo": udp_echo, "udp-ask": udp_ask,
             "forget-connections": forget_connections}
    if len(sys.argv) < 2 or sys.argv[1] not in ROLES:
        sys.exit(__doc__)
    sys.exit(ROLES[sys.argv[1]](sys.argv[2:]))
