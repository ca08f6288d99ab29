// Strangers in a random world: calls at the concentrator, and packets nobody asked for.
#include <fmt/format.h>

#include <algorithm>

#include "tests/sim/random/noise.h"
#include "tests/sim/random/random_world.h"
#include "tests/support/sim/icmp_boxes.h"
#include "tests/support/sim/packet_view.h"

namespace braid::sim {

namespace {

using Door = NoisePlan::Door;
using Kind = NoisePlan::Kind;

wire::IpAddress address(const std::string& text) { return *wire::IpAddress::parse(text); }

bool is_echo(Kind kind) { return kind == Kind::kEcho || kind == Kind::kBigEcho; }

// Two packets carry the same, but for the type of ICMP message and its checksum.
bool answers(Bytes request, Bytes reply) {
  return request.size() == reply.size() &&
         std::equal(request.begin() + 4, request.end(), reply.begin() + 4);
}

// The ICMP message of a packet or a first fragment.
Bytes message_of(const PacketView& view) { return {view.transport(), view.transport_length()}; }

}  // namespace

void RandomWorld::add_walls() {
  const Reporters router{address("198.51.100.254"), address("2001:db8:6::254")};
  for (std::size_t i = 0; i < plan_.connections.size(); ++i) {
    const ConnectionPlan& connection = plan_.connections[i];
    if (connection.port != ConnectionPlan::Server::kUnreachable) continue;
    world_.add_filter<SynWall>(server_link_, Toward::kB, static_cast<std::uint16_t>(kFirstPort + i),
                               connection.unreachable, router);
  }
  for (std::size_t i = 0; i < plan_.calls.size(); ++i) {
    if (plan_.calls[i].kind != CallPlan::Kind::kUnreachable) continue;
    world_.add_filter<SynWall>(server_link_, Toward::kB,
                               static_cast<std::uint16_t>(kFirstCallPort + i),
                               IcmpAbout::kHostUnreachable, router);
  }
}

void RandomWorld::schedule_call(std::size_t index) {
  const CallPlan& plan = plan_.calls[index];
  const auto port = static_cast<std::uint16_t>(kFirstCallPort + index);
  if (plan.kind != CallPlan::Kind::kRefusing && plan.kind != CallPlan::Kind::kUnreachable) {
    server_->listen(port, [&plan] { return plan.server; });
  }
  world_.at(Instant() + plan.at, [this, &plan, port] { caller_->call(plan, port, world_.now()); });
}

void RandomWorld::schedule_noise(const NoisePlan& noise) {
  const bool v4 = noise.family == wire::Family::kIpv4;
  const std::uint8_t id = ++strangers_;
  Injector* where = nullptr;
  Toward toward = Toward::kB;
  wire::IpAddress from =
      address(v4 ? fmt::format("192.0.2.{}", id) : fmt::format("2001:db8:7::{}", id));
  wire::Endpoint to;
  bool answered = false;
  switch (noise.door) {
    case Door::kLan:
      where = lan_noise_;
      from = address(v4 ? fmt::format("192.168.77.{}", 20 + id) : fmt::format("fd77::20:{}", id));
      // What is not for the gateway itself would open a flow.
      to = {address(is_echo(noise.kind) ? (v4 ? kGatewayLan4 : kGatewayLan6)
                                        : (v4 ? "198.51.100.2" : "2001:db8:6::2")),
            kFirstPort - 1};
      answered = plan_.lwip == Plan::Lwip::kGateway && plan_.orderly_inside;
      break;
    case Door::kUplink: {
      const std::size_t uplink = noise.uplink % plan_.uplinks.size();
      where = uplink_noise_[uplink];
      toward = Toward::kA;
      to = {address(v4 ? fmt::format("10.{}.0.2", uplink + 1)
                       : fmt::format("fd00:{}::2", uplink + 1)),
            61000};
      break;
    }
    case Door::kOutside:
      where = far_noise_;
      to = {address(v4 ? "203.0.113.5" : "2001:db8:5::5"), gateway::kDefaultPort};
      answered = plan_.lwip == Plan::Lwip::kConcentrator;
      break;
    case Door::kServerSide:
      where = server_noise_;
      toward = Toward::kA;
      to = {address(v4 ? "198.18.255.250" : "fd62:7261:6964:2::2"), 2000};
      break;
  }
  where->take_in(from);
  Random random = world_.fork_random();
  for (Packet& packet : make_noise(noise.kind, from, to, random)) {
    if (answered && noise.kind == Kind::kEcho) echoes_.push_back({where, packet});
    where->add(Instant() + noise.at, toward, std::move(packet));
  }
}

std::optional<std::string> RandomWorld::missing_echoes() const {
  for (const Echo& echo : echoes_) {
    Packet request = echo.request;
    const auto asked = PacketView::of(request);
    const auto& taken = echo.where->taken();
    const auto replies = std::count_if(taken.begin(), taken.end(), [&](Packet packet) {
      const auto view = PacketView::of(packet);
      return view && view->destination() == asked->source() &&
             view->source() == asked->destination() &&
             answers(message_of(*asked), message_of(*view));
    });
    if (replies != 1) return fmt::format("an echo request was answered {} times", replies);
  }
  return std::nullopt;
}

}  // namespace braid::sim
