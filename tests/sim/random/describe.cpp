// A plan in words: what one needs to see why a seed fails.
#include <fmt/format.h>

#include "stack/cc/factory.h"
#include "tests/sim/random/plan.h"

namespace braid::sim {

namespace {

const char* name_of(BoxKind kind) {
  switch (kind) {
    case BoxKind::kNat: return "nat";
    case BoxKind::kSplitter: return "splitter";
    case BoxKind::kCoalescer: return "coalescer";
    case BoxKind::kFragmenter: return "fragmenter";
    case BoxKind::kMptcpStripper: return "mptcp-stripper";
    case BoxKind::kSynPayload: return "syn-payload";
    case BoxKind::kMssClamp: return "mss-clamp";
    case BoxKind::kNarrowHop: return "narrow-hop";
    case BoxKind::kSilentNarrowHop: return "silent-narrow-hop";
    case BoxKind::kShifter: return "shifter";
    case BoxKind::kPayloadChanger: return "payload-changer";
    case BoxKind::kOptionStripper: return "option-stripper";
    case BoxKind::kEcnMarker: return "ecn-marker";
    case BoxKind::kResetter: return "resetter";
    case BoxKind::kSynWall: return "syn-wall";
    case BoxKind::kComplainer: return "complainer";
  }
  return "?";
}

std::string boxes(const std::vector<BoxPlan>& all) {
  std::string text;
  for (const BoxPlan& box : all) {
    text += fmt::format(" [{} size {} variant {} spared {} from {:.3f} s]", name_of(box.kind),
                        box.size, box.variant, box.spared, to_seconds(box.from));
  }
  return text;
}

std::string link(const LinkSettings& s) {
  return fmt::format(
      "{:.2f} Mbit/s, {:.1f} ms, queue {} B {:.0f} ms, loss {:.4f}, burst {:.4f}, ber {:.1e}, "
      "dup {:.4f}, reorder {:.4f} by {:.1f} ms, jitter {:.1f} ms",
      static_cast<double>(s.rate.bits_per_second()) / 1e6, to_seconds(s.delay) * 1e3, s.queue_bytes,
      to_seconds(s.queue_time) * 1e3, s.loss, s.burst.enter, s.bit_error_rate, s.duplicate,
      s.reorder, to_seconds(s.reorder_delay) * 1e3, to_seconds(s.jitter) * 1e3);
}

std::string door(const DoorSettings& s) {
  return fmt::format("gro {}, super {}, busy {:.4f} for {} us, lost {:.4f}",
                     s.gro == Gro::kOn ? "on" : "off", s.max_super_packet, s.busy_chance,
                     to_us(s.busy_time), s.local_loss);
}

std::string script(const AppScript& s) {
  using Finish = AppScript::Finish;
  std::string text = fmt::format("{} bytes, ends {}", s.send_bytes,
                                 s.finish == Finish::kAfterPeer ? "after peer" : "after sending");
  if (s.reset_after) text += fmt::format(", resets after {}", *s.reset_after);
  return text;
}

std::string pause(const char* who, const std::optional<PausePlan>& p) {
  if (!p) return "";
  return fmt::format("; {} reads nothing from {:.3f} s for {:.3f} s", who, to_seconds(p->at),
                     to_seconds(p->length));
}

std::string uplink(const UplinkPlan& u) {
  std::string text =
      fmt::format("{}{}{}\n    up   {}\n    down {}\n    door {}\n",
                  u.family == wire::Family::kIpv4 ? "v4" : "v6", u.backup ? " backup" : "",
                  boxes(u.boxes), link(u.up), link(u.down), door(u.door));
  for (const OutagePlan& o : u.outages) {
    text += fmt::format("    {} at {:.3f} s for {:.3f} s{}\n",
                        o.state == LinkState::kNoCarrier ? "no carrier" : "black hole",
                        to_seconds(o.at), to_seconds(o.length), o.renumbered ? ", renumbered" : "");
  }
  for (const Duration at : u.nat_rebinds) {
    text += fmt::format("    NAT forgets all at {:.3f} s\n", to_seconds(at));
  }
  if (u.dies_at) text += fmt::format("    dies at {:.3f} s\n", to_seconds(*u.dies_at));
  return text;
}

std::string name_of(const ConnectionPlan& c) {
  using Server = ConnectionPlan::Server;
  switch (c.port) {
    case Server::kListens: return "";
    case Server::kCrosses: return "crossing, ";
    case Server::kRefuses: return "refused, ";
    case Server::kSilent: return "silent, ";
    case Server::kUnreachable:
      return fmt::format("unreachable ({}), ", static_cast<int>(c.unreachable));
  }
  return "?";
}

std::string strangers(const Plan& plan) {
  std::string text;
  for (const CallPlan& call : plan.calls) {
    text += fmt::format("  call of kind {} at {:.3f} s, {}, {}, {}{} and {} bytes\n",
                        static_cast<int>(call.kind), to_seconds(call.at),
                        call.family == wire::Family::kIpv4 ? "v4" : "v6",
                        call.mptcp ? "mptcp" : "tcp", call.lingers ? "lingers, " : "",
                        call.client.send_bytes, call.server.send_bytes);
  }
  for (const NoisePlan& noise : plan.noise) {
    text += fmt::format("  noise of kind {} at {:.3f} s, door {} ({}), {}\n",
                        static_cast<int>(noise.kind), to_seconds(noise.at),
                        static_cast<int>(noise.door), noise.uplink,
                        noise.family == wire::Family::kIpv4 ? "v4" : "v6");
  }
  return text;
}

std::string connection(const ConnectionPlan& c) {
  std::string text = fmt::format("{:.3f} s, {}, {}client {}; server {}{}{}", to_seconds(c.at),
                                 c.family == wire::Family::kIpv4 ? "v4" : "v6", name_of(c),
                                 script(c.client), script(c.server),
                                 pause("client", c.client_pause), pause("server", c.server_pause));
  if (c.client_resets_after) {
    text += fmt::format("; client resets after {:.3f} s", to_seconds(*c.client_resets_after));
  }
  return text;
}

}  // namespace

std::string describe(const Plan& plan) {
  std::string text = fmt::format(
      "  checksums: gateway {}, concentrator {}; memory {} and {} KiB; wake-ups within {} and {} "
      "us; {}, {}, lwip {}; settled at {:.3f} s{}\n",
      plan.gateway_checksums, plan.concentrator_checksums, plan.gateway_memory / 1024,
      plan.concentrator_memory / 1024, to_us(plan.gateway_latency),
      to_us(plan.concentrator_latency),
      cc::algorithm_names()[static_cast<std::size_t>(plan.algorithm)],
      sched::policy_names()[static_cast<std::size_t>(plan.scheduler)], static_cast<int>(plan.lwip),
      to_seconds(plan.settled),
      plan.client_vanishes_at
          ? fmt::format("; client vanishes at {:.3f} s", to_seconds(*plan.client_vanishes_at))
          : "");
  for (std::size_t i = 0; i < plan.uplinks.size(); ++i) {
    text += fmt::format("  uplink {}: {}", i, uplink(plan.uplinks[i]));
  }
  for (const auto& [name, inside] :
       {std::pair("lan", &plan.lan), std::pair("server side", &plan.server_side)}) {
    text += fmt::format("  {}:{} {}; door {}\n", name, boxes(inside->boxes), link(inside->link),
                        door(inside->door));
  }
  for (std::size_t i = 0; i < plan.connections.size(); ++i) {
    text += fmt::format("  connection {}: {}\n", i, connection(plan.connections[i]));
  }
  return text + strangers(plan);
}

}  // namespace braid::sim
