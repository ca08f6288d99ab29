#include "tests/sim/fairness/bulk_host.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "stack/wire/ip_header.h"

namespace braid::sim {
namespace {

constexpr std::uint64_t kBuffer = 4U << 20;
constexpr std::uint64_t kReceiveBuffer = 8U << 20;
constexpr std::size_t kHostMemory = 1U << 30;
constexpr std::array<std::uint8_t, 65536> kZeros{};

}  // namespace

BulkFlow::BulkFlow(BulkHost& host, Role role)
    : host_(host),
      role_(role),
      in_(host.pool_, kReceiveBuffer),
      out_(host.pool_, kBuffer),
      stream_(in_, out_, *this) {
  join(host.agenda_);
  in_.set_reader(this);
  out_.set_writer(this);
}

BulkFlow::~BulkFlow() = default;

void BulkFlow::flush(Instant) {
  while (in_.readable() > 0) {
    in_.release(in_.released() + in_.readable());
  }
  if (role_ == Role::kReceives) return;
  while (out_.room() > 0) {
    const auto size = std::min<std::uint64_t>(out_.room(), kZeros.size());
    if (out_.append(Slices(Bytes(kZeros).first(size))) == 0) break;
  }
}

std::optional<std::uint16_t> BulkFlow::allocate_port(const mptcp::LocalPath&,
                                                     const wire::Endpoint&) {
  return host_.next_port_++;
}

bool BulkHost::Doors::ready(tcp::InterfaceId interface) const {
  return attached_.at(interface).door->ready();
}

void BulkHost::Doors::send(tcp::InterfaceId interface, const wire::Segment& segment) {
  attached_.at(interface).door->send(wire::make_packet(segment, identification_++));
}

BulkHost::BulkHost(std::uint64_t seed)
    : random_(seed), pool_(kHostMemory), exit_(doors_), tcp_(random_), mptcp_(tcp_, random_) {}

BulkHost::~BulkHost() = default;

void BulkHost::add_door(tcp::InterfaceId interface, SimDoor& door, const wire::IpAddress& address) {
  doors_[interface] = {.door = &door, .address = address};
}

tcp::ConnectionConfig BulkHost::tcp_config(cc::Algorithm algorithm) const {
  tcp::ConnectionConfig config;
  config.max_super_payload = 60000;
  config.controller = cc::make_controller(algorithm, config.mtu);
  return config;
}

mptcp::LocalPath BulkHost::path(tcp::InterfaceId interface) const {
  return {.interface = interface,
          .address = doors_.at(interface).address,
          .address_id = static_cast<std::uint8_t>(interface + 1)};
}

BulkFlow& BulkHost::send_to(const wire::IpAddress& server, Kind kind, cc::Algorithm algorithm,
                            const std::vector<tcp::InterfaceId>& interfaces, Instant now) {
  auto& flow = *flows_.emplace_back(std::make_unique<BulkFlow>(*this, BulkFlow::Role::kSends));
  const wire::Endpoint remote{server, kPort};
  const tcp::InterfaceId first = interfaces.front();
  if (kind == Kind::kPlain) {
    const wire::Endpoint local{doors_.at(first).address, next_port_++};
    flow.stream_.attach(
        tcp_.connect({first, local, remote}, flow.stream_, tcp_config(algorithm), now));
  } else {
    for (const tcp::InterfaceId interface : interfaces) flow.paths_.push_back(path(interface));
    mptcp::ConnectionConfig config;
    config.algorithm = algorithm;
    flow.mptcp_ =
        std::make_unique<mptcp::Connection>(mptcp_, flow.out_, flow.in_, &flow, config, flow);
    flow.mptcp_->connect(flow.paths_.front(), next_port_++, remote, {}, now);
  }
  flow.wake();
  return flow;
}

void BulkHost::new_syn(tcp::InterfaceId interface, const wire::Segment& syn, Instant now) {
  if (!serving_ || syn.destination.port != kPort) return tcp_.refuse(interface, syn);
  if (syn.options.find<wire::MpJoinSyn>() != nullptr) {
    mptcp_.receive_join(interface, syn, path(interface), now);
    return;
  }
  auto& flow = *flows_.emplace_back(std::make_unique<BulkFlow>(*this, BulkFlow::Role::kReceives));
  by_peer_.emplace(syn.source.address, &flow);
  if (syn.options.find<wire::MpCapable>() != nullptr) {
    flow.mptcp_ = std::make_unique<mptcp::Connection>(mptcp_, flow.out_, flow.in_, nullptr,
                                                      mptcp::ConnectionConfig{}, flow);
    flow.mptcp_->accept(interface, syn, 0, path(interface), now);
    flow.mptcp_->answer(now);
  } else {
    flow.stream_.attach(
        tcp_.accept(interface, syn, flow.stream_, tcp_config(cc::Algorithm::kCubic), now));
  }
  flow.wake();
}

const BulkFlow* BulkHost::flow_from(const wire::IpAddress& address) const {
  const auto [first, end] = by_peer_.equal_range(address);
  return first == end ? nullptr : first->second;
}

std::uint64_t BulkHost::received_from(const wire::IpAddress& address) const {
  const auto [first, end] = by_peer_.equal_range(address);
  return std::accumulate(first, end, std::uint64_t{0}, [](std::uint64_t sum, const auto& flow) {
    return sum + flow.second->received();
  });
}

void BulkHost::receive(int interface, const PacketIn& packet, Instant now) {
  const auto id = static_cast<tcp::InterfaceId>(interface);
  const ip::Input input = ip_.receive(id, packet, now);
  const auto* segment = std::get_if<wire::Segment>(&input);
  if (segment == nullptr) return;
  if (tcp_.receive(id, *segment, now) == tcp::Layer::Received::kNewSyn) new_syn(id, *segment, now);
}

void BulkHost::flush(Instant now) {
  for (int round = 0; round < 8; ++round) {
    while (Agenda::Entry* entry = agenda_.next(now)) static_cast<BulkFlow*>(entry)->flush(now);
    mptcp_.flush(now);
    tcp_.flush(now, exit_);
    if (!agenda_.has_ready() && !mptcp_.has_ready()) break;
  }
}

Instant BulkHost::next_deadline() {
  return std::min({agenda_.next_deadline(), mptcp_.next_deadline(), tcp_.next_deadline()});
}

}  // namespace braid::sim
