// Layer: all MPTCP connections of a host: the token table (M18, M37) and their agenda.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "stack/base/agenda.h"
#include "stack/base/random.h"
#include "stack/mptcp/connection.h"
#include "stack/tcp/layer.h"

namespace braid::mptcp {

class Layer {
 public:
  Layer(tcp::Layer& tcp, Random& random);

  // A SYN with MP_JOIN that tcp::Layer returned: accepted into the connection that owns the token,
  // or refused with RST + MP_TCPRST (M40). `path` describes our end of it.
  enum class Join : std::uint8_t { kAccepted, kUnknownToken, kRefused };
  Join receive_join(tcp::InterfaceId interface, const wire::Segment& syn, const LocalPath& path,
                    Instant now);

  // Lets ready and due connections act; what they hand to TCP leaves by tcp::Layer::flush.
  void flush(Instant now);
  bool has_ready() const;
  Instant next_deadline() const;
  std::size_t size() const;

  tcp::Layer& tcp();
  Random& random();

 private:
  friend class Connection;
  // (the author's)
};

}  // namespace braid::mptcp
