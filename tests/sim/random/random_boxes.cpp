// The boxes of a random world.
#include <fmt/format.h>

#include <array>

#include "tests/sim/random/random_world.h"
#include "tests/support/sim/ecn_marker.h"
#include "tests/support/sim/icmp_boxes.h"
#include "tests/support/sim/resegmenters.h"
#include "tests/support/sim/tcp_boxes.h"

namespace braid::sim {

namespace {

wire::IpAddress address_of(const char* pattern, std::size_t uplink) {
  return *wire::IpAddress::parse(fmt::format(fmt::runtime(pattern), uplink + 1));
}

// The routers on a link; those inside (there is no such uplink) are numbered behind the uplinks.
Reporters reporters_on(std::size_t uplink) {
  return {address_of("10.{}.100.1", uplink), address_of("fd00:{}::100:1", uplink)};
}

}  // namespace

void RandomWorld::add_boxes(LinkId link, const std::vector<BoxPlan>& boxes, std::size_t uplink) {
  constexpr std::uint8_t kMptcpOption = 30;
  constexpr std::array kAims = {RstInjector::Aim::kInWindow, RstInjector::Aim::kOutside,
                                RstInjector::Aim::kExact};
  const Reporters reporters = reporters_on(uplink);
  for (const BoxPlan& box : boxes) {
    const KeepOptions keep = box.variant == 0 ? KeepOptions::kFirst : KeepOptions::kAll;
    switch (box.kind) {
      case BoxKind::kNat:
        nats_[uplink].push_back(&world_.add_filter<Nat>(
            link, Nat::Settings{.outside = address_of("10.{}.200.1", uplink),
                                .inbound = box.variant == 0 ? Nat::Inbound::kFromAnyone
                                                            : Nat::Inbound::kFromPeersOnly}));
        break;
      case BoxKind::kSplitter: world_.add_filter<Splitter>(link, box.size, keep); break;
      case BoxKind::kCoalescer: world_.add_filter<Coalescer>(link, box.size, keep); break;
      case BoxKind::kFragmenter:
        world_.add_filter<Fragmenter>(
            link, box.size,
            box.variant == 0 ? Fragmenter::Order::kForward : Fragmenter::Order::kBackward);
        break;
      case BoxKind::kMptcpStripper: {
        using From = OptionStripper::From;
        const From from = box.variant == 0   ? From::kSyns
                          : box.variant == 1 ? From::kSynAcks
                                             : From::kAll;
        world_.add_filter<OptionStripper>(
            link, OptionStripper::Settings{.kind = kMptcpOption, .from = from});
        break;
      }
      case BoxKind::kSynPayload:
        world_.add_filter<SynPayloadBox>(link, box.variant == 0 ? SynPayloadBox::Manner::kStrip
                                                                : SynPayloadBox::Manner::kDropSyn);
        break;
      case BoxKind::kMssClamp:
        world_.add_filter<MssClamper>(link, static_cast<std::uint16_t>(box.size));
        break;
      case BoxKind::kNarrowHop: {
        auto& hop = world_.add_filter<NarrowHop>(link, box.from > Duration(0) ? 1500 : box.size,
                                                 reporters.v4, reporters.v6);
        if (box.from > Duration(0)) {
          world_.at(Instant() + box.from, [&hop, mtu = box.size] { hop.set_mtu(mtu); });
        }
        break;
      }
      case BoxKind::kSilentNarrowHop:
        world_.add_filter<NarrowHop>(link, box.size, std::nullopt, std::nullopt);
        break;
      case BoxKind::kShifter: world_.add_filter<SequenceShifter>(link, world_.fork_random()); break;
      case BoxKind::kPayloadChanger:
        world_.add_filter<PayloadChanger>(link, box.variant == 0 ? Toward::kA : Toward::kB,
                                          box.spared, 1);
        break;
      case BoxKind::kOptionStripper:
        world_.add_filter<OptionStripper>(
            link, OptionStripper::Settings{.kind = static_cast<std::uint8_t>(box.size),
                                           .from = OptionStripper::From::kHandshake});
        break;
      case BoxKind::kEcnMarker:
        world_.add_filter<EcnMarker>(
            link, box.variant == 0 ? EcnMarker::Manner::kMarks : EcnMarker::Manner::kBleaches,
            box.size / 1000.0, world_.fork_random());
        break;
      case BoxKind::kResetter: {
        const RstInjector::Aim aim = kAims[box.variant];
        const auto& resetter = world_.add_filter<RstInjector>(link, box.spared, aim);
        if (aim == RstInjector::Aim::kExact) resetters_.push_back(&resetter);
        break;
      }
      case BoxKind::kSynWall:
        world_.add_filter<SynWall>(link, Toward::kB, std::nullopt,
                                   static_cast<IcmpAbout>(box.variant), reporters);
        break;
      case BoxKind::kComplainer:
        world_.add_filter<Complainer>(link, box.spared, static_cast<IcmpAbout>(box.variant),
                                      box.size, reporters);
        break;
    }
  }
}

}  // namespace braid::sim
