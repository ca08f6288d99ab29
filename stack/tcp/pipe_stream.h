// PipeStream: the StreamUser of a plain TCP leg (LAN side, server side): bytes to and from two pipes.
//
// Pipe offset = position + start: `start` skips what leads the stream but does not belong to it (the
// Convert reply at the head of `down`). FIN in = incoming.finish_at(); end of outgoing = FIN out.
#pragma once

#include <cstdint>
#include <optional>

#include "stack/base/pipe.h"
#include "stack/tcp/connection.h"
#include "stack/tcp/stream_user.h"

namespace braid::tcp {

class PipeStream final : public StreamUser {
 public:
  // `owner` is woken when established() or closed() happened; it then reads the status below.
  PipeStream(Pipe& incoming, Pipe& outgoing, Agenda::Entry& owner);

  // The connection this user rides on; set by who called Layer::connect or accept. Makes the
  // connection the reader of `outgoing` and the writer of `incoming`.
  void attach(Connection& connection);
  Connection* connection() const;  // nullptr before attach() and after closed()

  // Where this leg's byte 0 lies in the pipes. Before any byte moved.
  void set_incoming_start(StreamOffset start);
  void set_outgoing_start(StreamOffset start);
  // Nothing leaves before this (the LAN side waits for the Convert reply). On by default.
  enum class Gate : std::uint8_t { kOpen, kClosed };
  void set_gate(Gate gate);

  bool is_established() const;
  std::optional<CloseReason> close_reason() const;
  // ... the StreamUser overrides
};

}  // namespace braid::tcp
