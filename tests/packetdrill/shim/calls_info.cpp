// TCP_INFO and MPTCP_INFO: the kernel's structs, filled from what the stack knows of itself.
#include <linux/mptcp.h>
#include <linux/tcp.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "tests/packetdrill/shim/host.h"

namespace braid::pd {
namespace {

std::uint32_t cut(std::uint64_t value) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(value, UINT32_MAX));
}

std::uint32_t microseconds(Duration time) {
  return cut(static_cast<std::uint64_t>(std::max<std::int64_t>(0, to_us(time))));
}

// TCP_ESTABLISHED and so on, as the kernel counts them (include/net/tcp_states.h).
std::uint8_t number_of(tcp::State state) {
  switch (state) {
    case tcp::State::kSynSent: return 2;
    case tcp::State::kSynReceived: return 3;
    case tcp::State::kEstablished: return 1;
    case tcp::State::kFinWait1: return 4;
    case tcp::State::kFinWait2: return 5;
    case tcp::State::kTimeWait: return 6;
    case tcp::State::kCloseWait: return 8;
    case tcp::State::kLastAck: return 9;
    case tcp::State::kClosing: return 11;
    default: return 7;
  }
}

// Segments that arrived, the SYN among them; one SYN that brought data is one segment.
std::uint32_t delivered(const Socket& socket, std::uint64_t sacked, std::uint32_t mss) {
  if (!socket.was_connected) return 0;
  const std::uint64_t in_syn = socket.syn_data ? socket.syn_payload : 0;
  const std::uint64_t bytes = socket.stream->outgoing.released().value() - in_syn;
  return cut(1 + (bytes + mss - 1) / mss + (sacked + mss - 1) / mss);
}

template <typename T>
std::vector<std::uint8_t> bytes_of(const T& value) {
  std::vector<std::uint8_t> out(sizeof value);
  std::memcpy(out.data(), &value, sizeof value);
  return out;
}

}  // namespace

std::vector<std::uint8_t> Host::tcp_info(const Socket& socket) const {
  struct tcp_info out {};
  out.tcpi_state = socket.role == Socket::Role::kListening ? 10 : 7;
  out.tcpi_snd_cwnd = 10;
  out.tcpi_reordering = 3;
  if (socket.syn_data) out.tcpi_options |= TCPI_OPT_SYN_DATA;
  const tcp::Connection* const connection = socket.stream ? socket.stream->tcp() : nullptr;
  if (connection == nullptr) return bytes_of(out);
  const tcp::Connection::PathInfo path = connection->path_info();
  const tcp::Connection::Counters counters = connection->counters();
  const auto& agreed = connection->agreed();
  const tcp::Connection::Outstanding outstanding = connection->outstanding();
  const std::uint32_t mss = std::max<std::uint32_t>(path.mss, 1);
  const auto segments = [mss](std::uint64_t bytes) { return cut((bytes + mss - 1) / mss); };
  out.tcpi_state = number_of(connection->state());
  const bool disorder = outstanding.sacked > 0;
  out.tcpi_ca_state = path.consecutive_timeouts > 0 ? 4 : path.in_recovery ? 3 : disorder ? 1 : 0;
  out.tcpi_backoff = static_cast<std::uint8_t>(path.consecutive_timeouts);
  if (agreed.timestamps) out.tcpi_options |= TCPI_OPT_TIMESTAMPS;
  if (agreed.sack) out.tcpi_options |= TCPI_OPT_SACK;
  if (agreed.ecn) out.tcpi_options |= TCPI_OPT_ECN;
  if (agreed.receive_shift > 0 || agreed.send_shift > 0) out.tcpi_options |= TCPI_OPT_WSCALE;
  out.tcpi_snd_wscale = agreed.send_shift & 0xf;
  out.tcpi_rcv_wscale = agreed.receive_shift & 0xf;
  out.tcpi_rto = microseconds(path.rto);
  out.tcpi_snd_mss = path.mss;
  out.tcpi_unacked = segments(outstanding.all);
  out.tcpi_sacked = segments(outstanding.sacked);
  // The kernel counts as lost what was judged so, sent again or not.
  out.tcpi_lost = path.in_recovery ? segments(outstanding.lost + outstanding.retransmitted) : 0;
  out.tcpi_retrans = segments(outstanding.retransmitted);
  out.tcpi_total_retrans = segments(counters.bytes_retransmitted);
  out.tcpi_retransmits = static_cast<std::uint8_t>(path.consecutive_timeouts);
  out.tcpi_reordering = 3;
  out.tcpi_pmtu = path.path_mtu;
  out.tcpi_advmss = socket.mtu - (socket.local.address.is_v4() ? 40 : 60);
  out.tcpi_last_data_recv = microseconds(now_ - socket.last_text) / 1000;
  using Busy = BusyTime::State;
  const auto busy = [&](Busy state) { return microseconds(socket.busy.in(state, now_)); };
  out.tcpi_rwnd_limited = busy(Busy::kWindowLimited);
  out.tcpi_sndbuf_limited = busy(Busy::kBufferLimited);
  out.tcpi_busy_time = busy(Busy::kBusy) + out.tcpi_rwnd_limited + out.tcpi_sndbuf_limited;
  out.tcpi_rtt = microseconds(path.srtt);
  out.tcpi_rttvar = microseconds(path.rttvar);
  out.tcpi_min_rtt = microseconds(path.min_rtt);
  out.tcpi_snd_cwnd = cut(path.cwnd / mss);
  out.tcpi_snd_ssthresh = path.ssthresh == cc::kUnlimited ? 0x7fffffff : cut(path.ssthresh / mss);
  out.tcpi_notsent_bytes = cut(socket.unsent() - std::min(socket.unsent(), path.in_flight));
  out.tcpi_segs_in = cut(counters.segments_in);
  out.tcpi_segs_out = cut(counters.segments_out);
  out.tcpi_delivered = delivered(socket, outstanding.sacked, mss);
  out.tcpi_bytes_received = counters.bytes_in;
  out.tcpi_bytes_sent = counters.bytes_out;
  out.tcpi_bytes_retrans = counters.bytes_retransmitted;
  return bytes_of(out);
}

// SO_MEMINFO: nine words, of which the limits and what waits to be acknowledged are told.
std::vector<std::uint8_t> Host::memory_info(const Socket& socket) const {
  const Settings settings = sysctls();
  std::array<std::uint32_t, 9> out{};
  if (socket.stream) out[0] = cut(socket.stream->incoming.readable());
  out[1] = cut(socket.options.receive_buffer.value_or(settings.rmem_default));
  out[3] = cut(socket.options.send_buffer.value_or(settings.wmem_default));
  out[5] = cut(socket.unsent());
  return bytes_of(out);
}

std::vector<std::uint8_t> Host::mptcp_info(Socket& socket) const {
  struct mptcp_info out {};
  mptcp::Connection& connection = *socket.stream->mptcp();
  std::size_t subflows = 0;
  for (const auto& subflow : connection.subflows()) subflows += subflow.established ? 1 : 0;
  out.mptcpi_subflows = static_cast<std::uint8_t>(subflows > 0 ? subflows - 1 : 0);
  out.mptcpi_subflows_max = static_cast<std::uint8_t>(mptcp_settings_.mptcp_subflow_limit);
  out.mptcpi_add_addr_accepted_max =
      static_cast<std::uint8_t>(mptcp_settings_.mptcp_add_addr_limit);
  out.mptcpi_add_addr_signal = static_cast<std::uint8_t>(socket.announced.size());
  constexpr std::uint32_t kFallback = 1, kRemoteKey = 2;
  if (connection.status().mode == mptcp::Mode::kFallback) out.mptcpi_flags |= kFallback;
  if (connection.status().mode == mptcp::Mode::kMptcp) out.mptcpi_flags |= kRemoteKey;
  out.mptcpi_token = connection.local_token();
  return bytes_of(out);
}

}  // namespace braid::pd
