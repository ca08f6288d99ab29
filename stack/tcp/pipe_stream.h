// PipeStream: the StreamUser of a plain TCP leg (LAN side, server side), bytes to and from two
// pipes
//
// Pipe offset = position + start: `start` skips what leads the stream but does not belong to it
// (the Convert reply at the head of `down`). FIN in = incoming.finish_at(); end of outgoing = FIN
// out. The capacity of `incoming` grows with what its reader takes (see window_tuner.h).
#pragma once

#include <cstdint>
#include <optional>

#include "stack/base/pipe.h"
#include "stack/tcp/connection.h"
#include "stack/tcp/stream_user.h"
#include "stack/tcp/window_tuner.h"

namespace braid::tcp {

class PipeStream : public StreamUser {
 public:
  // `owner` is woken when established() or closed() happened; it then reads the status below.
  PipeStream(Pipe& incoming, Pipe& outgoing, Agenda::Entry& owner);

  // The connection this user rides on; set by who called Layer::connect or accept. Makes the
  // connection the reader of `outgoing` and the writer of `incoming`.
  void attach(Connection& connection);
  Connection* connection() const { return connection_; }  // nullptr before attach(), after closed()

  // Where this leg's byte 0 lies in the pipes. Before any byte moved.
  void set_incoming_start(StreamOffset start) { incoming_start_ = start; }
  void set_outgoing_start(StreamOffset start) { outgoing_start_ = start; }
  // Nothing leaves before this (the LAN side waits for the Convert reply). On by default.
  enum class Gate : std::uint8_t { kOpen, kClosed };
  void set_gate(Gate gate);
  // The most `incoming` may grow to, bytes.
  void set_max_capacity(std::uint64_t bytes) { tuner_.set_maximum(bytes); }

  bool is_established() const { return established_; }
  std::optional<CloseReason> close_reason() const { return close_reason_; }
  // The ICMP code of the error that ended it, if one did (kUnreachable).
  std::optional<std::uint8_t> icmp_code() const { return icmp_code_; }

  // --- StreamUser
  Verdict segment_arrived(const wire::Segment& segment, std::uint64_t position,
                          Instant now) override;
  Interval place(std::uint64_t position, const Slices& bytes, Instant now) override;
  void received_up_to(std::uint64_t position, Instant now) override;
  void peer_finished(std::uint64_t position, Instant now) override;
  std::uint64_t receive_window() const override;
  WindowScope window_scope() const override { return WindowScope::kStream; }
  std::uint64_t send_end() const override;
  bool send_finished() const override;
  Slices peek(std::uint64_t position, std::uint32_t max_length) const override;
  std::uint32_t data_option_bytes() const override { return 0; }
  void add_options(const Outgoing& outgoing, wire::TcpOptions& options) override;
  void acked(std::uint64_t position, Instant now) override;
  Verdict established(const wire::Segment& segment, std::uint32_t syn_bytes_acked,
                      Instant now) override;
  void retransmission_timeout(std::uint32_t consecutive, Instant now) override;
  void syn_repeated() override { owner_.wake(); }
  void closed(CloseReason reason, Instant now) override;

 private:
  Pipe& incoming_;
  Pipe& outgoing_;
  Agenda::Entry& owner_;
  Connection* connection_ = nullptr;
  StreamOffset incoming_start_;
  StreamOffset outgoing_start_;
  Gate gate_ = Gate::kOpen;
  WindowTuner tuner_;
  bool established_ = false;
  std::optional<CloseReason> close_reason_;
  std::optional<std::uint8_t> icmp_code_;
};

}  // namespace braid::tcp
