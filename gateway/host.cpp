#include "gateway/host.h"

#include <algorithm>

namespace braid::gateway {

namespace {

// One flush settles in two or three rounds (a reply makes a LAN SYN-ACK, a window opens a mapping);
// a machine that keeps waking itself must not hold up the devices.
constexpr int kMaxRounds = 8;

// IPv6 and TCP headers with all options: what a super-packet needs beside its payload.
constexpr std::uint32_t kHeaderReserve = 40 + 60;

// What one flush follows, bytes.
constexpr std::size_t kLeastBatch = 1'000'000;
constexpr std::size_t kBatchPerConnection = 131'072;

// A host that vanished while its connection was idle is noticed after this (RFC 9293 MUST-28: at
// least two hours): the other end cannot ask in our place, since it is us whom it would ask.
constexpr Duration kInsideKeepalive = 2h;

}  // namespace

Host::Host(ip::Layer& ip, Random& random, std::uint64_t memory_bytes)
    : ip_(ip), random_(random), pool_(memory_bytes), tcp_(random), mptcp_(tcp_, random) {}

void Host::receive(tcp::InterfaceId interface, const PacketIn& packet, Instant now) {
  const ip::Input input = ip_.receive(interface, packet, now);
  if (const auto* segment = std::get_if<wire::Segment>(&input)) {
    overhear(interface, *segment, now);
    if (tcp_.receive(interface, *segment, now) == tcp::Layer::Received::kNewSyn) {
      new_syn(interface, *segment, now);
    }
  } else if (const auto* error = std::get_if<wire::IcmpError>(&input)) {
    tcp_.receive_error(interface, *error, now);
  }
}

bool Host::is_batch(std::size_t bytes) const {
  return bytes >= std::max(kLeastBatch, kBatchPerConnection * tcp_.awake());
}

void Host::flush(Instant now) {
  for (int round = 0; round < kMaxRounds; ++round) {
    while (Agenda::Entry* entry = agenda_.next(now)) static_cast<Activity*>(entry)->flush(now);
    mptcp_.flush(now);
    tcp_.flush(now, doors_);
    if (!agenda_.has_ready() && !mptcp_.has_ready()) break;
  }
  for (const ip::Outgoing& outgoing : ip_.flush(now)) {
    doors_.send_packet(outgoing.interface, outgoing.packet);
  }
  tidy(now);
}

Instant Host::next_deadline() const {
  return std::min(
      {agenda_.next_deadline(), mptcp_.next_deadline(), tcp_.next_deadline(), ip_.next_deadline()});
}

std::uint32_t Host::max_super_payload(tcp::InterfaceId interface) const {
  const Door* door = doors_.get(interface);
  if (door == nullptr || door->max_super_packet() <= door->mtu()) return 0;
  return door->max_super_packet() - kHeaderReserve;
}

tcp::ConnectionConfig Host::connection_config(tcp::InterfaceId interface,
                                              cc::Algorithm algorithm) const {
  tcp::ConnectionConfig config;
  if (const Door* door = doors_.get(interface)) {
    config.mtu = door->mtu();
    config.max_super_payload = max_super_payload(interface);
  }
  config.keepalive_interval = kInsideKeepalive;
  config.controller = cc::make_controller(algorithm, config.mtu, nullptr);
  return config;
}

}  // namespace braid::gateway
