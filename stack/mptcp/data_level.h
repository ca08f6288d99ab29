// DataLevel: what all subflows of one connection share: its two pipes, what was negotiated, and the
// two halves of the data level. Plain state: who may change what is said by its users.
//
// Positions of the *first* subflow and pipe offsets run in parallel, shifted by the two skips: what
// leads a direction's byte stream but is no part of it (a Convert message in the SYN, M36). That is
// all a fallback needs, so it needs no mapping.
#pragma once

#include <cstdint>
#include <optional>

#include "stack/base/pipe.h"
#include "stack/mptcp/data_receiver.h"
#include "stack/mptcp/data_sender.h"
#include "stack/mptcp/habits.h"
#include "stack/mptcp/negotiation.h"

namespace braid::mptcp {

enum class Mode : std::uint8_t { kConnecting, kMptcp, kFallback };

struct DataLevel {
  // `ways` must outlive it.
  DataLevel(Pipe& out, Pipe& in, const Habits& ways)
      : outgoing(&out), incoming(&in), habits(&ways) {}

  Pipe* outgoing;
  Pipe* incoming;
  const Habits* habits;
  Mode mode = Mode::kConnecting;
  Negotiation negotiation;
  std::optional<DataSender> sender;      // once MPTCP is agreed on
  std::optional<DataReceiver> receiver;  // once the peer's key is known, too
  std::uint64_t outgoing_skip = 0;       // positions before byte 0 of `outgoing`
  std::uint64_t incoming_skip = 0;       // positions before byte 0 of `incoming`
  // How wide our DATA_ACKs are: as the peer's latest DSN (M56).
  enum class AckWidth : std::uint8_t { kFour, kEight } ack_width = AckWidth::kFour;
  // The peer has shown by a DATA_ACK of ours that it holds both keys: no more MP_CAPABLE.
  enum class Proof : std::uint8_t { kMissing, kSeen } proof = Proof::kMissing;
  // A mapping of the peer's has come: options pass, and joins may begin (M24).
  enum class Heard : std::uint8_t { kNothing, kMapping } heard = Heard::kNothing;
  // The subflow a DATA_FIN came on that has not been answered.
  std::optional<SubflowId> fin_to_answer;
  // The owner is gone, and the pipes with it: subflows finish what they hold and touch neither.
  enum class Owner : std::uint8_t { kThere, kGone } owner = Owner::kThere;

  bool plain() const { return mode == Mode::kFallback; }
  bool orphaned() const { return owner == Owner::kGone; }
  bool checksum() const { return negotiation.checksum(); }

  // Whether a mapping of ours from this offset of `outgoing` on is given eight octets.
  bool has_long_sequence(StreamOffset offset) const {
    return habits->sequence_width == Habits::SequenceWidth::kLong || offset >= kFirstLong;
  }
  // MP_CAPABLE with data implies a DSN and shows none: who has wide ones calls it wide.
  AckWidth width_for_capable() const {
    const bool wide = habits->sequence_width == Habits::SequenceWidth::kLong;
    return wide ? AckWidth::kEight : AckWidth::kFour;
  }
  // Bytes the peer may send beyond the DATA_ACK.
  std::uint64_t window() const {
    if (orphaned()) return 0;
    return receiver && !plain() ? receiver->window() : incoming->room();
  }
  // Fills in the DATA_ACK and keeps the promise that goes with it. Before the peer's key is known:
  // a placeholder that acknowledges nothing (DESIGN 6).
  void add_data_ack(wire::Dss& dss) {
    dss.eight_byte_ack = receiver && ack_width == AckWidth::kEight;
    dss.data_ack = receiver && !orphaned() ? receiver->data_ack() : last_data_ack;
    if (!dss.eight_byte_ack) dss.data_ack = static_cast<std::uint32_t>(*dss.data_ack);
    if (!receiver || orphaned()) return;
    last_data_ack = receiver->data_ack();
    promised_edge = last_data_ack + receiver->promise_window();
  }
  // Something was received that no DATA_ACK of ours has said.
  bool data_ack_is_news() const {
    return receiver && !orphaned() && receiver->data_ack() != last_data_ack &&
           receiver->data_ack() != receiver->sequence().dsn(stream_start);
  }
  static constexpr StreamOffset kFirstLong{std::uint64_t{1} << 31};

  StreamOffset stream_start;        // of the first byte received with a data sequence number
  std::uint64_t last_data_ack = 0;  // as last sent
  std::uint64_t promised_edge = 0;  // DSN: last_data_ack and the window beside it
};

}  // namespace braid::mptcp
