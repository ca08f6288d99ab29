#include "tests/sim/random/plan.h"

#include <algorithm>

#include "tests/sim/random/dice.h"
#include "tests/sim/random/plan_wider.h"

namespace braid::sim {

namespace {

// Disturbances begin before this; connections start before kLastStart.
constexpr double kDisturbedSeconds = 8.0;
constexpr double kLastStart = 3.0;
constexpr std::uint64_t kMostBytes = 256 * 1024;

void draw_troubles(LinkSettings& link, Dice& dice, double scale) {
  if (dice.chance(0.5)) link.loss = dice.log_uniform(0.0005, 0.05) * scale;
  if (dice.chance(0.15)) {
    link.burst = {.enter = 0.003 * scale, .leave = dice.uniform(0.2, 0.6), .loss_when_bad = 0.8};
  }
  if (dice.chance(0.4)) link.bit_error_rate = dice.log_uniform(1e-8, 3e-6) * scale;
  if (dice.chance(0.3)) link.duplicate = dice.log_uniform(0.001, 0.05) * scale;
  if (dice.chance(0.3)) {
    link.reorder = dice.log_uniform(0.001, 0.05) * scale;
    link.reorder_delay = dice.log_seconds(0.0005, 0.03);
  }
  if (dice.chance(0.3)) {
    link.jitter = dice.log_seconds(0.0002, 0.02);
    link.jitter_order = dice.chance(0.3) ? JitterOrder::kMayReorder : JitterOrder::kKept;
  }
}

LinkSettings draw_uplink_direction(Dice& dice, Duration delay) {
  LinkSettings link;
  link.rate = Rate::bits_per_second(static_cast<std::uint64_t>(dice.log_uniform(1e6, 200e6)));
  link.delay = delay;
  if (dice.chance(0.5)) {
    link.queue_time = dice.log_seconds(0.03, 0.4);
  } else {
    link.queue_bytes = static_cast<std::uint64_t>(dice.log_uniform(20e3, 500e3));
  }
  draw_troubles(link, dice, 1.0);
  return link;
}

DoorSettings draw_door(Dice& dice) {
  DoorSettings door;
  if (dice.chance(0.3)) door.gro = Gro::kOff;
  if (dice.chance(0.2)) door.max_super_packet = 1500;
  if (dice.chance(0.25)) {
    door.busy_chance = dice.log_uniform(0.001, 0.05);
    door.busy_time = dice.log_seconds(10e-6, 2e-3);
  }
  if (dice.chance(0.2)) door.local_loss = dice.log_uniform(0.0005, 0.01);
  return door;
}

// Boxes that a correct pair of ends must not even notice.
void draw_kind_boxes(UplinkPlan& uplink, Dice& dice) {
  const bool v4 = uplink.family == wire::Family::kIpv4;
  const bool nat = v4 && dice.chance(0.4);
  const bool shifter = dice.chance(0.15);
  if (shifter) uplink.boxes.push_back({BoxKind::kShifter});
  if (nat) uplink.boxes.push_back({BoxKind::kNat, 0, dice.below(2)});
  if (dice.chance(0.15)) uplink.boxes.push_back({BoxKind::kMssClamp, dice.between(536, 1400)});
  if (dice.chance(0.15)) {
    uplink.boxes.push_back({BoxKind::kSplitter, dice.between(200, 1400), 1});
  }
  // The shifter leaves the segments quoted in ICMP errors as they are, and those are not believed.
  const bool narrow = !shifter && dice.chance(0.12);
  if (narrow) {
    uplink.boxes.push_back(
        {BoxKind::kNarrowHop, v4 ? dice.between(600, 1499) : dice.between(1280, 1499)});
  }
  // Boxes that read TCP headers let fragments pass as they are, so one that must see all goes
  // alone.
  if (!nat && !shifter && !narrow && dice.chance(0.1)) {
    uplink.boxes.push_back({BoxKind::kFragmenter,
                            v4 ? dice.between(300, 1400) : dice.between(1280, 1400),
                            dice.below(2)});
  }
}

// One that may cost a connection its MPTCP, or an uplink its use.
void draw_hostile_box(UplinkPlan& uplink, bool checksums, Dice& dice) {
  std::erase_if(uplink.boxes, [](const BoxPlan& box) { return box.kind == BoxKind::kFragmenter; });
  switch (dice.below(checksums ? 5 : 4)) {
    case 0: uplink.boxes.push_back({BoxKind::kMptcpStripper, 0, dice.below(3)}); break;
    case 1: uplink.boxes.push_back({BoxKind::kSynPayload, 0, dice.below(2)}); break;
    case 2: uplink.boxes.push_back({BoxKind::kCoalescer, 1500, dice.below(2)}); break;
    case 3:
      uplink.boxes.push_back(
          {BoxKind::kSilentNarrowHop,
           dice.between(uplink.family == wire::Family::kIpv4 ? 700 : 1280, 1450)});
      break;
    default:
      uplink.boxes.push_back({BoxKind::kPayloadChanger, 0, dice.below(2), dice.between(3, 60)});
  }
}

void draw_outages(UplinkPlan& uplink, bool may_lose_address, Dice& dice) {
  double at = dice.uniform(0.0, 3.0);
  const std::uint32_t count = dice.chance(0.35) ? dice.between(1, 3) : 0;
  for (std::uint32_t i = 0; i < count && at < kDisturbedSeconds; ++i) {
    OutagePlan outage;
    const double length = dice.log_uniform(0.02, 4.0);
    outage.at = Duration(static_cast<std::int64_t>(at * 1e9));
    outage.length = Duration(static_cast<std::int64_t>(length * 1e9));
    if (may_lose_address && dice.chance(0.5)) {
      outage.state = LinkState::kNoCarrier;
      outage.renumbered = dice.chance(0.3);
    }
    uplink.outages.push_back(outage);
    at += length + dice.log_uniform(0.05, 3.0);
  }
  if (!may_lose_address) return;
  for (const BoxPlan& box : uplink.boxes) {
    if (box.kind != BoxKind::kNat || !dice.chance(0.3)) continue;
    uplink.nat_rebinds.push_back(dice.seconds(0.1, kDisturbedSeconds));
  }
}

void draw_uplinks(Plan& plan, Dice& dice) {
  const std::uint32_t count = dice.chance(0.8) ? 2 : 3;
  const std::uint32_t families = dice.below(4);  // 0, 1: v4; 2: v6; 3: mixed
  const std::uint32_t troubled = dice.chance(0.3) ? dice.below(count) : count;
  const bool dies = troubled < count && dice.chance(0.25);
  for (std::uint32_t i = 0; i < count; ++i) {
    UplinkPlan uplink;
    const bool v6 = families == 2 || (families == 3 && dice.chance(0.5));
    uplink.family = v6 ? wire::Family::kIpv6 : wire::Family::kIpv4;
    const Duration delay = dice.log_seconds(0.001, 0.15);
    uplink.up = draw_uplink_direction(dice, delay);
    uplink.down = draw_uplink_direction(dice, delay);
    uplink.door = draw_door(dice);
    draw_kind_boxes(uplink, dice);
    const bool hostile = i == troubled && !dies;
    if (hostile) {
      draw_hostile_box(uplink, plan.gateway_checksums || plan.concentrator_checksums, dice);
    }
    draw_outages(uplink, !hostile, dice);
    if (i == troubled && dies) uplink.dies_at = dice.seconds(0.0, kDisturbedSeconds);
    uplink.backup = i > 0 && dice.chance(0.1);
    plan.uplinks.push_back(uplink);
  }
}

InsidePlan draw_inside(Dice& dice, bool orderly, double longest_delay) {
  InsidePlan inside;
  if (dice.chance(0.5)) {
    inside.link.rate =
        Rate::bits_per_second(static_cast<std::uint64_t>(dice.log_uniform(10e6, 1e9)));
    inside.link.queue_time = 100ms;
  }
  inside.link.delay = dice.log_seconds(0.0001, longest_delay);
  inside.door = draw_door(dice);
  if (orderly) {
    inside.door.local_loss = 0;
    inside.door.busy_chance = 0;           // what a busy device refuses is lost, too
    inside.link.queue_time = Duration(0);  // a queue without end loses nothing
  } else if (dice.chance(0.5)) {
    draw_troubles(inside.link, dice, 0.5);
  }
  if (dice.chance(0.3)) {
    inside.boxes.push_back({BoxKind::kFragmenter, dice.between(300, 1400), dice.below(2)});
  } else if (dice.chance(0.15)) {
    inside.boxes.push_back({BoxKind::kSplitter, dice.between(100, 1400), 1});
  }
  return inside;
}

std::optional<PausePlan> draw_pause(Dice& dice) {
  if (!dice.chance(0.2)) return std::nullopt;
  return PausePlan{dice.chance(0.5) ? Duration(0) : dice.log_seconds(0.01, 2.0),
                   dice.log_seconds(0.05, 8.0)};
}

std::uint64_t draw_size(Dice& dice) {
  if (dice.chance(0.05)) return 0;
  return static_cast<std::uint64_t>(dice.log_uniform(1.0, static_cast<double>(kMostBytes) + 1));
}

// Who resets does so with something still to come from the other side, its FIN at least: the RST
// may be lost, and then only the answer to what comes tells the other side.
void draw_resets(ConnectionPlan& connection, bool orderly_inside, Dice& dice) {
  using Finish = AppScript::Finish;
  const std::uint32_t kind = dice.below(orderly_inside ? 3 : 2);
  if (kind == 0 && connection.server.send_bytes > 0) {
    connection.client.reset_after = static_cast<std::uint64_t>(
        dice.uniform(1, static_cast<double>(connection.server.send_bytes)));
    connection.server.finish = Finish::kAfterSending;
  } else if (kind == 1 && connection.client.send_bytes > 0) {
    connection.server.reset_after = static_cast<std::uint64_t>(
        dice.uniform(1, static_cast<double>(connection.client.send_bytes)));
    connection.client.finish = Finish::kAfterSending;
  } else if (kind == 2) {
    connection.client_resets_after = dice.log_seconds(0.001, 5.0);
  }
}

ConnectionPlan draw_connection(std::uint64_t index, const Plan& plan, bool orderly_inside,
                               Dice& dice) {
  using Finish = AppScript::Finish;
  ConnectionPlan connection;
  connection.at = dice.chance(0.3) ? Duration(0) : dice.seconds(0.0, kLastStart);
  connection.family = dice.chance(0.3) ? wire::Family::kIpv6 : wire::Family::kIpv4;
  connection.client = {
      .send_bytes = draw_size(dice), .send_stream = 2 * index + 1, .expect_stream = 2 * index + 2};
  connection.server = {
      .send_bytes = draw_size(dice), .send_stream = 2 * index + 2, .expect_stream = 2 * index + 1};
  const std::uint32_t order = dice.below(3);
  if (order == 1) connection.client.finish = Finish::kAfterPeer;
  if (order == 2) connection.server.finish = Finish::kAfterPeer;
  if (plan.client_may_vanish()) {
    // A vanished client is noticed by what is sent to it: there is always something, its FIN last.
    connection.client.send_bytes = std::min<std::uint64_t>(connection.client.send_bytes, 500);
    connection.server.finish = Finish::kAfterSending;
    return connection;
  }
  if (dice.chance(0.07)) {
    connection.port =
        dice.chance(0.7) ? ConnectionPlan::Server::kRefuses : ConnectionPlan::Server::kSilent;
    return connection;
  }
  connection.client_pause = draw_pause(dice);
  connection.server_pause = draw_pause(dice);
  if (dice.chance(0.15)) draw_resets(connection, orderly_inside, dice);
  return connection;
}

std::uint64_t draw_memory(Dice& dice) {
  if (!dice.chance(0.3)) return 64ULL << 20;
  return static_cast<std::uint64_t>(dice.log_uniform(2, 8) * (1 << 20));
}

Duration settled_after(const Plan& plan) {
  Duration last(static_cast<std::int64_t>(kDisturbedSeconds * 1e9));
  for (const UplinkPlan& uplink : plan.uplinks) {
    for (const OutagePlan& outage : uplink.outages)
      last = std::max(last, outage.at + outage.length);
  }
  for (const ConnectionPlan& connection : plan.connections) {
    for (const auto& pause : {connection.client_pause, connection.server_pause}) {
      if (pause) last = std::max(last, connection.at + pause->at + pause->length);
    }
  }
  return last;
}

}  // namespace

bool Plan::has_box(BoxKind kind) const {
  return std::any_of(uplinks.begin(), uplinks.end(), [&](const UplinkPlan& uplink) {
    return std::any_of(uplink.boxes.begin(), uplink.boxes.end(),
                       [&](const BoxPlan& box) { return box.kind == kind; });
  });
}

bool Plan::may_be_cut_off(const ConnectionPlan& connection, Instant established,
                          std::span<const Duration> resets) const {
  // From the reply on: the third ACK, its answer, an outage meanwhile, a repetition of each.
  constexpr Duration kHandshake = 6s;
  const auto hits = [&](Duration when) {
    return when >= connection.at &&
           (established == kNever || Instant() + when <= established + kHandshake);
  };
  if (std::any_of(resets.begin(), resets.end(), hits)) return true;
  for (const UplinkPlan& uplink : uplinks) {
    if (uplink.dies_at && hits(*uplink.dies_at)) return true;
    if (std::any_of(uplink.nat_rebinds.begin(), uplink.nat_rebinds.end(), hits)) return true;
    for (const OutagePlan& outage : uplink.outages) {
      if (outage.state == LinkState::kNoCarrier && hits(outage.at)) return true;
    }
  }
  return false;
}

Plan draw_plan(std::uint64_t seed) {
  Dice dice(seed);
  Plan plan;
  plan.seed = seed;
  if (dice.chance(0.25)) {
    const std::uint32_t who = dice.below(3);
    plan.gateway_checksums = who != 1;
    plan.concentrator_checksums = who != 0;
  }
  if (dice.chance(0.3)) {
    const auto names = cc::algorithm_names();
    const std::uint32_t which = dice.below(static_cast<std::uint32_t>(names.size()));
    plan.algorithm = *cc::algorithm_by_name(names[which]);
  }
  draw_uplinks(plan, dice);
  plan.orderly_inside = dice.chance(0.5);
  const bool orderly_inside = plan.orderly_inside;
  plan.lan = draw_inside(dice, orderly_inside, 0.003);
  plan.server_side = draw_inside(dice, orderly_inside, 0.03);
  if (dice.chance(0.4)) plan.gateway_latency = dice.log_seconds(10e-6, 2e-3);
  if (dice.chance(0.4)) plan.concentrator_latency = dice.log_seconds(10e-6, 2e-3);
  plan.gateway_memory = draw_memory(dice);
  plan.concentrator_memory = draw_memory(dice);
  if (orderly_inside && dice.chance(0.05)) {
    plan.client_vanishes_at = dice.seconds(0.05, kLastStart);
  }
  const std::uint32_t connections = dice.between(3, 8);
  for (std::uint32_t i = 0; i < connections; ++i) {
    plan.connections.push_back(draw_connection(i, plan, orderly_inside, dice));
  }
  draw_wider(plan);
  plan.settled = settled_after(plan);
  return plan;
}

}  // namespace braid::sim
