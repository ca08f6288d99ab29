"""%{ }% blocks: assertions in Python over the TCP_INFO and SO_MEMINFO of the socket under test."""

import ctypes
import struct
import textwrap

from calls import Mismatch

SOL_SOCKET, SO_MEMINFO, SOL_TCP, TCP_INFO = 1, 55, 6, 11
STATES = ("ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE",
          "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING")  # from 1 on
SYMBOLS = {"TCP_" + name: number for number, name in enumerate(STATES, 1)}
SYMBOLS.update({"TCP_CA_" + name: number for number, name in enumerate(
    ("Open", "Disorder", "CWR", "Recovery", "Loss"))})
SYMBOLS.update(TCPI_OPT_TIMESTAMPS=1, TCPI_OPT_SACK=2, TCPI_OPT_WSCALE=4, TCPI_OPT_ECN=8,
               TCPI_OPT_ECN_SEEN=16, TCPI_OPT_SYN_DATA=32)
BYTES = ("state", "ca_state", "retransmits", "probes", "backoff", "options")
WORDS = ("rto", "ato", "snd_mss", "rcv_mss", "unacked", "sacked", "lost", "retrans", "fackets",
         "last_data_sent", "last_ack_sent", "last_data_recv", "last_ack_recv", "pmtu",
         "rcv_ssthresh", "rtt", "rttvar", "snd_ssthresh", "snd_cwnd", "advmss", "reordering",
         "rcv_rtt", "rcv_space", "total_retrans")
LATER = (("Q", "pacing_rate max_pacing_rate bytes_acked bytes_received"),
         ("I", "segs_out segs_in notsent_bytes min_rtt data_segs_in data_segs_out"),
         ("Q", "delivery_rate busy_time rwnd_limited sndbuf_limited"), ("I", "delivered delivered_ce"),
         ("Q", "bytes_sent bytes_retrans"), ("I", "dsack_dups reord_seen rcv_ooopack snd_wnd"))
MEMORY = ("RMEM_ALLOC", "RCVBUF", "WMEM_ALLOC", "SNDBUF", "FWD_ALLOC", "WMEM_QUEUED", "OPTMEM",
          "BACKLOG", "DROPS")


def told(library, fd, level, name, size):
    buffer = ctypes.create_string_buffer(size)
    length = ctypes.c_uint(size)
    if library.call("getsockopt", fd, level, name, ctypes.addressof(buffer),
                    ctypes.addressof(length)) != 0:
        raise Mismatch("no getsockopt %d to run code with" % name)
    return buffer.raw


def tcp_info(library, fd):
    """{"tcpi_...": value} of struct tcp_info."""
    raw = told(library, fd, SOL_TCP, TCP_INFO, 512)
    out = {"tcpi_" + name: value for name, value in zip(BYTES, raw)}
    out["tcpi_snd_wscale"], out["tcpi_rcv_wscale"] = raw[6] & 15, raw[6] >> 4
    out["tcpi_delivery_rate_app_limited"] = raw[7] & 1
    at = 8
    for kind, names in (("I", " ".join(WORDS)),) + LATER:
        for name in names.split():
            at += -at % struct.calcsize(kind)
            out["tcpi_" + name] = struct.unpack_from("=" + kind, raw, at)[0]
            at += struct.calcsize(kind)
    return out


class Code:
    """One script's blocks; what one assigns, later ones see."""

    def __init__(self, library):
        self.library, self.names = library, dict(SYMBOLS)

    def run(self, fd, text):
        self.names.update(tcp_info(self.library, fd))
        memory = struct.unpack_from("=9I", told(self.library, fd, SOL_SOCKET, SO_MEMINFO, 64))
        self.names.update({"SK_MEMINFO_" + name: value for name, value in zip(MEMORY, memory)})
        try:
            # A test's own text; the last line may end like one that goes on.
            exec(textwrap.dedent(text).strip().rstrip("\\"), self.names)
        except Exception as error:
            raise Mismatch("code: %s %s" % (type(error).__name__, error))
