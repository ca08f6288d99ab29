// Middleboxes that meddle with TCP headers and handshakes: what MPTCP and RFC 8803 must survive.
//
// All pass on untouched what is not intact TCP.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "stack/base/random.h"
#include "tests/support/sim/filter.h"
#include "tests/support/sim/packet_view.h"

namespace braid::sim {

// Whatever a test wants: look at a packet, change it in place, keep or drop it.
class FunctionFilter final : public Filter {
 public:
  enum class Verdict { kPass, kDrop };
  using Function = std::function<Verdict(Packet&, Toward, Instant)>;
  explicit FunctionFilter(Function function) : function_(std::move(function)) {}
  void pass(Packet packet, Toward toward, Instant now, Output& out) override {
    if (function_(packet, toward, now) == Verdict::kPass) out.emit(toward, std::move(packet));
  }

 private:
  Function function_;
};

// Takes an option out of TCP headers.
class OptionStripper final : public Filter {
 public:
  // kHandshake: of both SYNs; kLater: not of SYNs, after `spared` packets
  enum class From { kSyns, kSynAcks, kHandshake, kAll, kLater };
  enum class Manner { kNops, kRemoved, kPacketDropped };
  struct Settings {
    std::uint8_t kind = 30;
    From from = From::kAll;
    Manner manner = Manner::kNops;
    std::uint64_t spared = 0;
  };
  explicit OptionStripper(Settings settings) : settings_(settings) {}
  void pass(Packet packet, Toward toward, Instant now, Output& out) override;
  std::uint64_t stripped() const { return stripped_; }

 private:
  bool concerns(const PacketView& view);
  Settings settings_;
  std::uint64_t seen_ = 0;
  std::uint64_t stripped_ = 0;
};

// Dislikes payload in SYNs (with and without ACK).
class SynPayloadBox final : public Filter {
 public:
  enum class Manner { kStrip, kTruncate, kDropSyn };
  explicit SynPayloadBox(Manner manner, std::size_t keep = 0) : manner_(manner), keep_(keep) {}
  void pass(Packet packet, Toward toward, Instant now, Output& out) override;

 private:
  Manner manner_;
  std::size_t keep_;  // bytes that kTruncate leaves
};

// Lowers the MSS option of SYNs to at most this.
class MssClamper final : public Filter {
 public:
  explicit MssClamper(std::uint16_t most) : most_(most) {}
  void pass(Packet packet, Toward toward, Instant now, Output& out) override;

 private:
  std::uint16_t most_;
};

// Ends a connection that is not its own: after `after` packets with payload, one RST to each side.
class RstInjector final : public Filter {
 public:
  enum class Aim { kExact, kInWindow, kOutside };  // where the sequence number falls (RFC 5961)
  RstInjector(std::uint64_t after, Aim aim) : left_(after), aim_(aim) {}
  void pass(Packet packet, Toward toward, Instant now, Output& out) override;
  std::optional<Instant> done_at() const { return done_at_; }

 private:
  std::uint64_t left_;
  Aim aim_;
  std::optional<Instant> done_at_;
};

// A firewall that gives connections other initial sequence numbers, SACK blocks included.
class SequenceShifter final : public Filter {
 public:
  explicit SequenceShifter(Random random) : random_(std::move(random)) {}
  void pass(Packet packet, Toward toward, Instant now, Output& out) override;

 private:
  struct Key {
    wire::Endpoint source, destination;
    auto operator<=>(const Key&) const = default;
  };
  std::uint32_t shift_of(const Key& key);
  Random random_;
  std::map<Key, std::uint32_t> shifts_;  // per direction of a connection
};

// An application gateway that changes payload: `count` packets with payload of one direction, after
// `spared` of them. The TCP checksum is made right; only a DSS checksum shows it.
class PayloadChanger final : public Filter {
 public:
  PayloadChanger(Toward toward, std::uint64_t spared, std::uint64_t count)
      : toward_(toward), spared_(spared), count_(count) {}
  void pass(Packet packet, Toward toward, Instant now, Output& out) override;
  std::uint64_t changed() const { return changed_; }

 private:
  Toward toward_;
  std::uint64_t spared_;
  std::uint64_t count_;
  std::uint64_t changed_ = 0;
};

}  // namespace braid::sim
