// The second half of a plan: what others do to braid. Drawn from dice of its own, so the first half
// of a seed's world stays what it was.
#include "tests/sim/random/plan_wider.h"

#include <algorithm>
#include <array>

#include "stack/cc/factory.h"
#include "tests/sim/random/dice.h"
#include "tests/sim/random/plan.h"

namespace braid::sim {

namespace {

constexpr std::uint64_t kSalt = 0x77696465;
constexpr std::array kComplaints = {IcmpAbout::kNoRoute, IcmpAbout::kHostUnreachable,
                                    IcmpAbout::kPortUnreachable, IcmpAbout::kProhibited,
                                    IcmpAbout::kTimeExceeded};

template <typename T, std::size_t N>
T one_of(const std::array<T, N>& all, Dice& dice) {
  return all[dice.below(static_cast<std::uint32_t>(N))];
}

bool has(const std::vector<BoxPlan>& boxes, std::initializer_list<BoxKind> kinds) {
  return std::any_of(boxes.begin(), boxes.end(), [&](const BoxPlan& box) {
    return std::find(kinds.begin(), kinds.end(), box.kind) != kinds.end();
  });
}

bool is_hostile(const UplinkPlan& uplink) {
  return uplink.dies_at ||
         has(uplink.boxes, {BoxKind::kCoalescer, BoxKind::kMptcpStripper, BoxKind::kSynPayload,
                            BoxKind::kSilentNarrowHop, BoxKind::kPayloadChanger});
}

// Boxes that a correct pair of ends must not even notice, on any link.
void draw_more_kind_boxes(std::vector<BoxPlan>& boxes, Dice& dice) {
  constexpr std::uint32_t kMss = 2, kWindowScale = 3, kSackPermitted = 4, kTimestamps = 8;
  constexpr std::array kOptions = {kMss,           kWindowScale, kSackPermitted,
                                   kSackPermitted, kTimestamps,  kTimestamps};
  if (dice.chance(0.15)) boxes.push_back({BoxKind::kOptionStripper, one_of(kOptions, dice)});
  if (dice.chance(0.15)) {
    boxes.push_back({BoxKind::kEcnMarker, static_cast<std::uint32_t>(dice.log_uniform(1, 300)),
                     dice.chance(0.8) ? 0U : 1U});
  }
  if (dice.chance(0.1)) {
    const bool too_big = dice.chance(0.3);
    const IcmpAbout about = too_big ? IcmpAbout::kTooBig : one_of(kComplaints, dice);
    boxes.push_back({BoxKind::kComplainer, too_big ? dice.between(68, 1500) : 0,
                     static_cast<std::uint32_t>(about), dice.between(5, 200)});
  }
  if (dice.chance(0.06)) {
    boxes.push_back({BoxKind::kResetter, 0, dice.below(2), dice.between(1, 100)});
  }
}

// An MTU that falls in mid flow. `least`: what the family of the link may be asked to take.
void draw_falling_mtu(std::vector<BoxPlan>& boxes, std::uint32_t least, Dice& dice) {
  const bool cuts = has(boxes, {BoxKind::kNarrowHop, BoxKind::kSilentNarrowHop,
                                BoxKind::kFragmenter, BoxKind::kCoalescer, BoxKind::kShifter});
  if (cuts || !dice.chance(0.12)) return;
  boxes.push_back({BoxKind::kNarrowHop, dice.between(least, 1499), 0, 0, dice.seconds(0.01, 5.0)});
}

void draw_hostile_uplink(Plan& plan, Dice& dice) {
  if (std::any_of(plan.uplinks.begin(), plan.uplinks.end(), is_hostile) || !dice.chance(0.12))
    return;
  UplinkPlan& uplink = plan.uplinks[dice.below(static_cast<std::uint32_t>(plan.uplinks.size()))];
  if (dice.chance(0.5)) {
    uplink.boxes.push_back(
        {BoxKind::kSynWall, 0, static_cast<std::uint32_t>(one_of(kComplaints, dice))});
  } else {
    uplink.boxes.push_back({BoxKind::kResetter, 0, 2, dice.between(1, 100)});
  }
}

void draw_servers(Plan& plan, Dice& dice) {
  using Server = ConnectionPlan::Server;
  for (ConnectionPlan& connection : plan.connections) {
    const bool crosses = dice.chance(0.08), unreachable = dice.chance(0.04);
    if (connection.port != Server::kListens || plan.client_may_vanish()) continue;
    if (unreachable) {
      connection.port = Server::kUnreachable;
      connection.unreachable = one_of(kComplaints, dice);
      connection.client_pause = connection.server_pause = std::nullopt;
      connection.client_resets_after = std::nullopt;
      connection.client.reset_after = connection.server.reset_after = std::nullopt;
    } else if (crosses) {
      connection.port = Server::kCrosses;
    }
  }
}

void draw_calls(Plan& plan, Dice& dice) {
  const std::uint32_t count = dice.chance(0.35) ? dice.between(1, 4) : 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    CallPlan call;
    call.at = dice.seconds(0.0, 3.0);
    call.kind = dice.chance(0.2)
                    ? (dice.chance(0.5) ? CallPlan::Kind::kExtended : CallPlan::Kind::kConnect)
                    : static_cast<CallPlan::Kind>(
                          dice.below(static_cast<std::uint32_t>(CallPlan::Kind::kCount)));
    call.family = dice.chance(0.5) ? wire::Family::kIpv4 : wire::Family::kIpv6;
    call.mptcp = dice.chance(0.5);
    call.lingers = dice.chance(0.4);
    call.client = {.send_bytes = static_cast<std::uint64_t>(dice.log_uniform(1, 60000)),
                   .send_stream = 1001 + 2ULL * i,
                   .expect_stream = 1002 + 2ULL * i};
    call.server = {.send_bytes = static_cast<std::uint64_t>(dice.log_uniform(1, 60000)),
                   .send_stream = 1002 + 2ULL * i,
                   .expect_stream = 1001 + 2ULL * i};
    plan.calls.push_back(call);
  }
}

void draw_noise(Plan& plan, Dice& dice) {
  const std::uint32_t count = dice.chance(0.5) ? dice.between(1, 5) : 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    NoisePlan noise;
    noise.at = dice.seconds(0.0, 6.0);
    noise.door = static_cast<NoisePlan::Door>(dice.below(4));
    noise.uplink = dice.below(3);
    noise.kind = static_cast<NoisePlan::Kind>(
        dice.below(static_cast<std::uint32_t>(NoisePlan::Kind::kCount)));
    noise.family = dice.chance(0.5) ? wire::Family::kIpv4 : wire::Family::kIpv6;
    plan.noise.push_back(noise);
  }
}

std::uint64_t draw_tiny_memory(Dice& dice) {
  return static_cast<std::uint64_t>(dice.log_uniform(0.25, 2) * (1 << 20));
}

}  // namespace

void draw_wider(Plan& plan) {
  Dice dice(plan.seed ^ kSalt << 32);
  for (UplinkPlan& uplink : plan.uplinks) {
    const bool v4 = uplink.family == wire::Family::kIpv4;
    draw_more_kind_boxes(uplink.boxes, dice);
    draw_falling_mtu(uplink.boxes, v4 ? 600 : 1280, dice);
  }
  draw_hostile_uplink(plan, dice);
  for (InsidePlan* inside : {&plan.lan, &plan.server_side}) {
    draw_more_kind_boxes(inside->boxes, dice);
    draw_falling_mtu(inside->boxes, 1280, dice);
  }
  draw_servers(plan, dice);
  draw_calls(plan, dice);
  draw_noise(plan, dice);
  if (dice.chance(0.4)) {
    plan.scheduler = static_cast<sched::Policy>(
        dice.below(static_cast<std::uint32_t>(sched::policy_names().size())));
  }
  if (dice.chance(0.3)) {
    plan.algorithm = static_cast<cc::Algorithm>(
        dice.below(static_cast<std::uint32_t>(cc::algorithm_names().size())));
  }
  // A pool that a few connections use up.
  if (dice.chance(0.08)) plan.gateway_memory = draw_tiny_memory(dice);
  if (dice.chance(0.08)) plan.concentrator_memory = draw_tiny_memory(dice);
  if (dice.chance(0.4))
    plan.lwip = dice.chance(0.7) ? Plan::Lwip::kGateway : Plan::Lwip::kConcentrator;
}

}  // namespace braid::sim
