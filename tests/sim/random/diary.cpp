#include "tests/sim/random/diary.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "stack/cc/factory.h"
#include "stack/tcp/state.h"
#include "stack/wire/convert.h"
#include "stack/wire/ip_header.h"

namespace braid::sim {

namespace {

// Roles are asked once a second, until what is left is only waiting.
constexpr Duration kAskFor = 30s;

}  // namespace

Diary::Diary(RandomWorld& net) : net_(net) {
  net.world().listen(
      [this](Port port, const PacketIn& packet, Instant now) { note_packet(port, packet, now); });
  for (Duration at = 1s; at <= kAskFor; at += 1s) {
    net.world().at(Instant() + at, [this] { note_roles(net_.world().now()); });
  }
}

void Diary::note_packet(Port port, const PacketIn& packet, Instant now) {
  fmt::format_to(std::back_inserter(text_), "{:.6f} host {}.{} ", to_seconds(now - Instant()),
                 port.host, port.interface);
  const auto ip = wire::parse_ip_header(packet.bytes);
  if (!ip) {
    fmt::format_to(std::back_inserter(text_), "damaged, {} bytes\n", packet.bytes.size());
    return;
  }
  const Bytes transport =
      packet.bytes.subspan(ip->header_length, ip->total_length - ip->header_length);
  if (ip->protocol == wire::kProtocolTcp && !ip->is_fragment()) {
    note_segment(*ip, packet, transport);
  } else {
    fmt::format_to(std::back_inserter(text_), "{} > {}: protocol {} len {}", ip->source.to_string(),
                   ip->destination.to_string(), ip->protocol, transport.size());
    if (ip->is_fragment()) {
      fmt::format_to(std::back_inserter(text_), " fragment {:x} at {}{}", ip->identification,
                     ip->fragment_offset, ip->more_fragments ? "+" : "");
    }
  }
  text_ += '\n';
}

void Diary::note_segment(const wire::IpHeader& ip, const PacketIn& packet, Bytes transport) {
  auto segment = wire::parse_tcp(ip.source, ip.destination, transport);
  if (!segment) {
    text_ += "damaged TCP header";
    return;
  }
  segment->ecn = static_cast<wire::Ecn>(ip.traffic_class & 3U);
  segment->hop_limit = ip.hop_limit;
  segment->gso_size = packet.gso_size;
  text_ += wire::describe(*segment);
  if (packet.checksum == ChecksumState::kUnverified &&
      !wire::tcp_checksum_ok(ip.source, ip.destination, transport)) {
    text_ += " bad sum";
  }
  if (!segment->flags.syn || segment->payload.empty()) return;
  const auto convert = wire::parse_convert(segment->payload.to_vector());
  if (const auto* message = std::get_if<wire::ConvertMessage>(&convert)) {
    text_ += " convert: " + wire::describe(*message);
  }
}

void Diary::note_roles(Instant now) {
  fmt::format_to(std::back_inserter(text_), "{:.0f} s\n", to_seconds(now - Instant()));
  note_host("gateway", net_.gateway());
  for (const auto& [id, flow] : net_.gateway().flows()) {
    if (flow->bundle() != nullptr) note_bundle("gateway", net_.gateway(), *flow->bundle());
  }
  note_host("concentrator", net_.concentrator());
  for (const auto& [id, session] : net_.concentrator().sessions()) {
    note_bundle("concentrator", net_.concentrator(), session->bundle());
  }
}

void Diary::note_host(const char* role, gateway::Host& host) {
  host.tcp().validate();
  const auto& strays = host.tcp().counters();
  const auto& ip = host.ip().counters();
  fmt::format_to(
      std::back_inserter(text_),
      "  {}: {} connections, {} bundles, {} of {} KiB; {} segments, {} strays, {} resets "
      "({} held back); {} packets, {} malformed, {} fragments, {} reassembled\n",
      role, host.tcp().size(), host.mptcp().size(), host.pool().used_bytes() / 1024,
      host.pool().budget_bytes() / 1024, strays.segments_in, strays.strays, strays.resets_out,
      strays.resets_limited, ip.received, ip.malformed, ip.fragments, ip.reassembled);
  doubt(host.pool().used_bytes() <= host.pool().budget_bytes(), "more memory than there is");
  doubt(strays.segments_in <= ip.received + ip.reassembled, "segments out of nothing");
}

void Diary::note_bundle(const char* role, gateway::Host& host, const mptcp::Connection& bundle) {
  const auto& counters = bundle.counters();
  fmt::format_to(std::back_inserter(text_),
                 "  {} bundle {:08x} mode {}: {} joins, {} failed, {} fallbacks, {} reinjected, {} "
                 "wrong sums, {} data timeouts\n",
                 role, bundle.local_token(), static_cast<int>(bundle.status().mode), counters.joins,
                 counters.joins_failed, counters.fallbacks, counters.reinjected_bytes,
                 counters.checksum_failures, counters.data_timeouts);
  for (const auto& subflow : bundle.subflows()) {
    const auto& path = subflow.path;
    const tcp::Connection* connection = host.tcp().find(subflow.tuple);
    fmt::format_to(std::back_inserter(text_),
                   "    {} > {} {}: {}{}, srtt {} us, cwnd {}, in flight {}, mss {}, {} bit/s, {} "
                   "segments in, "
                   "{} out, bytes {} in, {} out, {} again, {} timeouts\n",
                   subflow.tuple.local.to_string(), subflow.tuple.remote.to_string(),
                   connection == nullptr ? "gone" : tcp::to_string(connection->state()),
                   subflow.established ? "open" : "opening", subflow.backup ? ", backup" : "",
                   to_us(path.srtt), path.cwnd, path.in_flight, path.mss,
                   path.pacing_rate.bits_per_second(), subflow.counters.segments_in,
                   subflow.counters.segments_out, subflow.counters.bytes_in,
                   subflow.counters.bytes_out, subflow.counters.bytes_retransmitted,
                   subflow.counters.timeouts);
    // A FIN counts as one byte in flight and as none sent.
    doubt(path.in_flight <= subflow.counters.bytes_out + subflow.counters.bytes_retransmitted + 1,
          "more in flight than ever sent");
    doubt(path.srtt >= path.min_rtt / 8, "an average round trip below the shortest");
  }
}

void Diary::doubt(bool possible, const char* what) {
  if (possible || absurdity_) return;
  absurdity_ =
      fmt::format("at {:.1f} s a role says: {}", to_seconds(net_.world().now() - Instant()), what);
}

std::string first_difference(const std::string& a, const std::string& b) {
  const auto [at, bt] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  const auto line = [](const std::string& text, std::string::const_iterator at_char) {
    const auto offset = static_cast<std::size_t>(at_char - text.begin());
    const std::size_t before = offset == 0 ? std::string::npos : text.rfind('\n', offset - 1);
    const std::size_t begin = before == std::string::npos ? 0 : before + 1;
    return text.substr(begin, text.find('\n', offset) - begin);
  };
  return fmt::format("line {}: \"{}\" and \"{}\"", 1 + std::count(a.begin(), at, '\n'), line(a, at),
                     line(b, bt));
}

}  // namespace braid::sim
