// Plan: one random world as plain values, drawn from a seed: links, boxes in the middle, outages,
// connections. Drawn first and built after, so a failing world can be printed and read.
//
// A plan is drawn so that it is clear what is owed. Trouble that may push a connection out of MPTCP
// (strippers, coalescers, changed payload) stands on one uplink at most, and that uplink keeps its
// addresses: a connection that fell back to plain TCP has only them. Disturbances end after
// `settled`; from then on at least one uplink works for good.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "stack/sched/scheduler.h"
#include "stack/wire/ip_address.h"
#include "tests/support/roles/app_host.h"
#include "tests/support/sim/door.h"
#include "tests/support/sim/icmp.h"
#include "tests/support/sim/link_settings.h"

namespace braid::sim {

enum class BoxKind : std::uint8_t {
  kNat,
  kSplitter,
  kCoalescer,
  kFragmenter,
  kMptcpStripper,
  kSynPayload,
  kMssClamp,
  kNarrowHop,
  kSilentNarrowHop,
  kShifter,
  kPayloadChanger,
  kOptionStripper,  // of both SYNs: `size` is the option's kind
  kEcnMarker,
  kResetter,
  kSynWall,
  kComplainer,
};

struct BoxPlan {
  BoxKind kind = BoxKind::kNat;
  std::uint32_t size = 0;     // bytes, of those that cut or limit
  std::uint32_t variant = 0;  // which of the kind's manners
  std::uint32_t spared = 0;   // packets, of those that begin later
  Duration from{0};           // when it begins, of narrow hops
};

struct OutagePlan {
  Duration at{0};
  Duration length{0};
  LinkState state = LinkState::kBlackHole;
  bool renumbered = false;  // comes back with another address (kNoCarrier only)
};

struct UplinkPlan {
  LinkSettings up, down;
  DoorSettings door;
  wire::Family family = wire::Family::kIpv4;
  bool backup = false;
  std::vector<BoxPlan> boxes;       // from the gateway to the wire
  std::vector<OutagePlan> outages;  // in order, not overlapping
  std::vector<Duration> nat_rebinds;
  std::optional<Duration> dies_at;  // silent from then on
};

struct InsidePlan {
  LinkSettings link;
  DoorSettings door;  // of the role
  std::vector<BoxPlan> boxes;
};

struct PausePlan {
  Duration at{0};  // after the connection's start
  Duration length{0};
};

struct ConnectionPlan {
  Duration at{0};
  wire::Family family = wire::Family::kIpv4;
  AppScript client, server;
  // kCrosses: listens, and opens from its side too (a simultaneous open); kUnreachable: a router
  // says `unreachable` to every SYN.
  enum class Server : std::uint8_t { kListens, kCrosses, kRefuses, kSilent, kUnreachable };
  Server port = Server::kListens;
  IcmpAbout unreachable = IcmpAbout::kHostUnreachable;
  std::optional<Duration> client_resets_after;          // after the connection's start
  std::optional<PausePlan> client_pause, server_pause;  // of reading

  bool is_served() const { return port == Server::kListens || port == Server::kCrosses; }
  bool may_break() const { return client.reset_after || server.reset_after || client_resets_after; }
};

// A client that speaks Convert to the concentrator with its own hands (caller.h).
struct CallPlan {
  enum class Kind : std::uint8_t {
    kConnect,
    kExtended,
    kInfo,
    kVersion,
    kUnknownTlv,
    kTwice,
    kFraming,
    kShort,
    kZeroLength,
    kMagic,
    kNoRequest,
    kCookie,
    kOption,
    kOptionValue,
    kOwnTarget,
    kNoTarget,
    kRefusing,
    kUnreachable,
    kStranger,
    kCount
  };
  Duration at{0};
  Kind kind = Kind::kConnect;
  wire::Family family = wire::Family::kIpv4;
  bool mptcp = false;    // it asks for it
  bool lingers = false;  // it does not reset on an Error TLV, as RFC 8803 C33 would have it
  AppScript client, server;
};

// Packets nobody asked for (noise.h).
struct NoisePlan {
  enum class Door : std::uint8_t { kLan, kUplink, kOutside, kServerSide };
  enum class Kind : std::uint8_t {
    kEcho,
    kBigEcho,
    kDatagram,
    kLoneFragments,
    kOverlap,
    kExtensions,
    kNotUnicast,
    kMangled,
    kStray,
    kStorm,
    kUnknownJoin,
    kOddSyn,
    kIcmpErrors,
    kCount
  };
  Duration at{0};
  Door door = Door::kLan;
  std::uint32_t uplink = 0;
  Kind kind = Kind::kEcho;
  wire::Family family = wire::Family::kIpv4;
};

struct Plan {
  std::uint64_t seed = 0;
  std::vector<UplinkPlan> uplinks;
  InsidePlan lan, server_side;
  bool orderly_inside = false;                           // nothing is lost there: a RST arrives
  Duration gateway_latency{0}, concentrator_latency{0};  // of wake-ups
  std::uint64_t gateway_memory = 0, concentrator_memory = 0;  // bytes
  bool gateway_checksums = false, concentrator_checksums = false;
  cc::Algorithm algorithm = cc::Algorithm::kLia;
  sched::Policy scheduler = sched::Policy::kMinRtt;
  // Whose IP layer is lwIP's: it has one state per process, so never both.
  enum class Lwip : std::uint8_t { kNobody, kGateway, kConcentrator } lwip = Lwip::kNobody;
  std::vector<ConnectionPlan> connections;
  std::vector<CallPlan> calls;
  std::vector<NoisePlan> noise;
  std::optional<Duration> client_vanishes_at;
  Duration settled{0};  // no disturbance after this

  bool has_payload_changer() const { return has_box(BoxKind::kPayloadChanger); }
  bool has_box(BoxKind kind) const;  // on any uplink
  // An uplink is lost for good, or its address is, while this connection's handshake may be under
  // way. Until the peer has the key there is no other way to it, so the connection may break. The
  // same goes for subflows reset from outside at `resets`.
  bool may_be_cut_off(const ConnectionPlan& connection, Instant established,
                      std::span<const Duration> resets) const;
  bool client_may_vanish() const { return client_vanishes_at.has_value(); }
};

Plan draw_plan(std::uint64_t seed);
std::string describe(const Plan& plan);

}  // namespace braid::sim
