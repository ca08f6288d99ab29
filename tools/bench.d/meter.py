"""What tools/bench sends and times. Times are CLOCK_MONOTONIC, which all namespaces share.

  meter.py server PORT                    takes commands; each connection's first line is one of
      down SIZE [FILE]   sends that much of the pattern, then closes   (SIZE: bytes, or "8s": that long);
                         how much it was goes to FILE
      up FILE LIMIT      reads until the end, then writes what it saw to FILE; cut off after LIMIT seconds
      count FILE         reads, and writes how much by when to FILE as it goes
      ask                one reply of N bytes to each later line "N"
      hold               nothing, until the other end closes
  meter.py bulk down|up ADDRESS PORT SIZE FILE [LIMIT]   one transfer; what the receiver saw goes to FILE;
                                                  cut off by the receiver after LIMIT seconds
  meter.py requests ADDRESS PORT BYTES SECONDS    one request every 25 ms, by turns on a kept and on a new connection
  meter.py fetch ADDRESS PORT BYTES COUNT         COUNT fetches one after the other, each on a new connection
  meter.py swallow ADDRESS PORT SECONDS FILE      an upload cut off: how much was taken before it arrived
  meter.py hold ADDRESS PORT COUNT                COUNT idle connections, until standard input ends
  meter.py rate ADDRESS PORT SECONDS WORKERS      connections per second, each with one small reply

What the receiver of a bulk transfer saw: when it began and ended, bytes per 10 ms, whether every byte
was the right one, and how the connection ended. Answers are JSON on standard output.
"""
import collections
import hashlib
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import threading
import time

GRAIN = 0.01
# Of prime length, so that no misplaced block looks right.
PATTERN = hashlib.shake_256(b"bench").digest(1000003)
PATTERN2 = PATTERN + PATTERN[:65536]
BYTES_ACKED = 120  # in struct tcp_info


def now():
    return time.monotonic()


def piece(position, length):
    start = position % len(PATTERN)
    return PATTERN2[start:start + min(length, 65536)]


def dial(address, port, first_line, timeout=30):
    sock = socket.create_connection((address, port), timeout=timeout)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall(first_line.encode() + b"\n")
    return sock


def send_pattern(sock, size, watch=None):
    """SIZE is a number of bytes, or "8s". What the peer's TCP has taken goes to watch, every 20 ms."""
    end = now() + float(size[:-1]) if size.endswith("s") else None
    most = None if end else int(size)
    sent, next_look = 0, 0
    while (now() < end) if end else (sent < most):
        block = piece(sent, 65536 if end else min(65536, most - sent))
        sent += sock.send(block)
        if watch is not None and now() >= next_look:
            watch.append((now(), acked(sock)))
            next_look = now() + 0.02
    return sent


def acked(sock):
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    return struct.unpack_from("=Q", info, BYTES_ACKED)[0]


def cut_off(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def receive_pattern(sock, begin, limit):
    bins, received, wrong, ended, last = collections.Counter(), 0, 0, "eof", begin
    while True:
        if now() - begin > limit:
            ended = "cut off"
            cut_off(sock)
            break
        try:
            data = sock.recv(262144)
        except OSError as error:
            ended = type(error).__name__
            break
        if not data:
            break
        last = now()
        bins[int(last / GRAIN)] += len(data)
        for start in range(0, len(data), 65536):
            part = data[start:start + 65536]
            wrong += part != piece(received + start, len(part))
        received += len(data)
    return {"begin": begin, "end": last, "bytes": received, "wrong_blocks": wrong, "ended": ended,
            "bins": sorted(bins.items())}


def write_json(path, value):
    if isinstance(value, dict):
        value["epoch"] = time.time() - now()  # what to add to get the shell's EPOCHREALTIME
    with open(path + ".new", "w") as file:
        json.dump(value, file)
    os.replace(path + ".new", path)


# --- the server: idle and asking connections in one loop, each bulk transfer in a thread ---------------

def bulk_at_server(sock, words):
    sock.setblocking(True)
    sock.settimeout(60)
    try:
        if words[0] == "down":
            sent = send_pattern(sock, words[1])
            if len(words) > 2:
                write_json(words[2], sent)
            sock.shutdown(socket.SHUT_WR)
            sock.recv(1)
        elif words[0] == "count":
            count_to(words[1], sock)
        else:
            write_json(words[1], receive_pattern(sock, now(), float(words[2])))
    except OSError:
        pass
    sock.close()


def count_to(path, sock):
    total, next_line = 0, 0
    with open(path, "w", buffering=1) as file:
        while data := sock.recv(65536):
            total += len(data)
            if now() >= next_line:
                print(now(), total, file=file)
                next_line = now() + 0.02


class Server:
    def __init__(self, port):
        self.listener = socket.create_server(("::", port), family=socket.AF_INET6,
                                             dualstack_ipv6=True, backlog=4096)
        self.listener.setblocking(False)
        self.poll = select.epoll()
        self.poll.register(self.listener, select.EPOLLIN)
        self.peers = {}

    def run(self):
        print("listening", flush=True)
        while True:
            for descriptor, _ in self.poll.poll():
                if descriptor == self.listener.fileno():
                    self.accept()
                else:
                    self.serve(descriptor)

    def accept(self):
        for _ in range(256):
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.peers[sock.fileno()] = [sock, b"", None]
            self.poll.register(sock, select.EPOLLIN)

    def forget(self, descriptor):
        self.poll.unregister(descriptor)
        return self.peers.pop(descriptor)[0]

    def serve(self, descriptor):
        peer = self.peers[descriptor]
        # A bulk upload's bytes follow its command at once: they are left to its thread.
        try:
            data = peer[0].recv(4096) if peer[2] else peer[0].recv(4096, socket.MSG_PEEK)
            if not peer[2]:
                data = peer[0].recv(data.find(b"\n") + 1 or len(data))
        except OSError:
            data = b""
        if not data:
            self.forget(descriptor).close()
            return
        *lines, peer[1] = (peer[1] + data).split(b"\n")
        for line in lines:
            if not self.obey(descriptor, peer, line.decode().split()):
                return

    def obey(self, descriptor, peer, words):
        if peer[2] == "ask":
            try:
                peer[0].sendall(piece(0, int(words[0])))
            except OSError:
                self.forget(descriptor).close()
                return False
        elif words[0] in ("down", "up", "count"):
            sock = self.forget(descriptor)
            threading.Thread(target=bulk_at_server, args=(sock, words), daemon=True).start()
            return False
        else:
            peer[2] = words[0]
        return True


# --- the clients --------------------------------------------------------------------------------------

def bulk(direction, address, port, size, path, limit="1e9"):
    begin = now()
    if direction == "down":
        sock = dial(address, port, "down %s %s.sent" % (size, path))
        sock.settimeout(60)
        result = receive_pattern(sock, begin, float(limit))
        result["sent"] = json.load(open(path + ".sent")) if os.path.exists(path + ".sent") else None
        write_json(path, result)
        return
    sock = dial(address, port, "up %s %s" % (path, limit))
    sock.settimeout(60)
    watch, how = [], "eof"
    sent = 0
    try:
        sent = send_pattern(sock, size, watch)
        sock.shutdown(socket.SHUT_WR)
        sock.recv(1)
    except OSError as error:
        how = type(error).__name__
    # The receiver's word is complete when it is a file; a dead connection never makes it one.
    give_up = now() + 10
    while not os.path.exists(path) and now() < give_up:
        time.sleep(0.01)
    saw = json.load(open(path)) if os.path.exists(path) else {
        "end": now(), "bytes": 0, "wrong_blocks": 0, "bins": [], "ended": "nothing"}
    saw.update(begin=begin, sent=sent, taken=watch)
    if how != "eof" and saw["ended"] != "cut off":
        saw["ended"] = how
    write_json(path, saw)


def read_exactly(sock, count):
    while count:
        data = sock.recv(count)
        if not data:
            raise OSError("eof")
        count -= len(data)


def timed_ask(sock, size):
    begin = now()
    sock.sendall(b"%d\n" % size)
    read_exactly(sock, size)
    return now() - begin


def requests(address, port, size, seconds):
    kept, fresh = [], []
    held = dial(address, port, "ask")
    end, turn = now() + float(seconds), 0
    while now() < end:
        due = now() + 0.025
        if turn % 2:
            kept.append(timed_ask(held, int(size)))
        else:
            fresh += [fetch_once(address, port, int(size))[1]]
        turn += 1
        time.sleep(max(0, due - now()))
    return {"kept": kept, "fresh": fresh}


def fetch_once(address, port, size):
    """Seconds to connect, and to the last byte of the reply."""
    begin = now()
    sock = socket.create_connection((address, port), timeout=30)
    connected = now() - begin
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall(b"ask\n%d\n" % size)
    read_exactly(sock, size)
    whole = now() - begin
    sock.close()
    return connected, whole


def fetch(address, port, size, count):
    times = []
    for _ in range(int(count)):
        times.append(fetch_once(address, port, int(size)))
        time.sleep(0.01)
    return {"connect": [t[0] for t in times], "whole": [t[1] for t in times]}


def swallow(address, port, seconds, path):
    sock = dial(address, port, "count " + path)
    sock.settimeout(1)
    taken = []
    try:
        send_pattern(sock, seconds + "s", taken)
    except OSError:
        pass
    taken.append((now(), acked(sock)))
    cut_off(sock)
    arrived = [tuple(map(float, line.split())) for line in open(path)] if os.path.exists(path) else []
    most, at = 0, 0
    for when, count in taken:
        while at < len(arrived) and arrived[at][0] <= when:
            at += 1
        most = max(most, count - (arrived[at - 1][1] if at else 0))
    return {"most": most, "arrived": arrived[-1][1] if arrived else 0, "taken": taken[-1][1]}


def hold(address, port, count):
    held, failed, begin = [], 0, now()
    for _ in range(int(count)):
        try:
            held.append(dial(address, port, "hold"))
        except OSError:
            failed += 1
            if failed > 20:
                break
    print(json.dumps({"held": len(held), "failed": failed, "seconds": now() - begin}), flush=True)
    sys.stdin.read()
    for sock in held:
        cut_off(sock)
    return {}


def rate(address, port, seconds, workers):
    """Each worker keeps one connection going: connect, one byte asked for, one byte got, reset."""
    poll, open_, done, failed = select.epoll(), {}, 0, 0

    def start():
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.connect_ex((address, port))
        open_[sock.fileno()] = sock
        poll.register(sock, select.EPOLLOUT)

    for _ in range(int(workers)):
        start()
    begin = now()
    end = begin + float(seconds)
    while now() < end:
        for descriptor, event in poll.poll(1):
            sock = open_[descriptor]
            try:
                if event == select.EPOLLOUT:
                    sock.send(b"ask\n1\n")
                    poll.modify(descriptor, select.EPOLLIN)
                    continue
                done += len(sock.recv(2)) == 1
            except OSError:
                failed += 1
            poll.unregister(descriptor)
            open_.pop(descriptor).close()
            start()
    return {"per_second": done / (now() - begin), "failed": failed}


def main(words):
    if not words:
        sys.exit(__doc__)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C is the bench's to tell about
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    role, rest = words[0], words[1:]
    if role == "server":
        Server(int(rest[0])).run()
    elif role == "bulk":
        bulk(rest[0], rest[1], int(rest[2]), *rest[3:])
    else:
        kind = {"requests": requests, "fetch": fetch, "swallow": swallow, "hold": hold, "rate": rate}[role]
        print(json.dumps(kind(rest[0], int(rest[1]), *rest[2:])))


if __name__ == "__main__":
    main(sys.argv[1:])
