// Layer: all TCP connections of one host, found by hash; the machine the gateway drives.
//
// A SYN nobody owns is *returned*, never answered: the owner decides (accept, refuse, ignore). Other
// segments without a connection are answered with RST, rate-limited (RFC 9293 3.10.7.1), unless the
// owner says the interface is silent (an uplink: RFC 8803 C9, C12).
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "stack/tcp/connection.h"

namespace braid::tcp {

class Layer {
 public:
  enum class Stray : std::uint8_t { kReset, kIgnore };  // answer to segments without connection
  enum class Received : std::uint8_t { kTaken, kNewSyn, kStray };

  explicit Layer(Random& random);
  ~Layer();

  void set_stray(InterfaceId interface, Stray answer);

  Received receive(InterfaceId interface, const wire::Segment& segment, Instant now);
  void receive_error(InterfaceId interface, const wire::IcmpError& error, Instant now);

  // The tuple must be free: see find(). A tuple in TIME-WAIT may be reused as RFC 6191 says.
  Connection& connect(const Tuple& tuple, StreamUser& user, ConnectionConfig config, Instant now);
  Connection& accept(InterfaceId interface, const wire::Segment& syn, StreamUser& user,
                     ConnectionConfig config, Instant now);
  // RST for a segment (usually a SYN), with these extra options if any.
  void refuse(InterfaceId interface, const wire::Segment& segment,
              const wire::TcpOptions& options = {});
  Connection* find(const Tuple& tuple);

  // Takes every ready or due connection once, emits, and frees the closed ones.
  void flush(Instant now, Exit& exit);
  Instant next_deadline() const;
  // An interface that was not ready is again: connections that waited for it are woken.
  void door_opened(InterfaceId interface);

  std::size_t size() const;  // connections, TIME-WAIT included
  struct Counters {
    std::uint64_t segments_in = 0, strays = 0, resets_out = 0, resets_limited = 0;
  };
  const Counters& counters() const;
};

}  // namespace braid::tcp
