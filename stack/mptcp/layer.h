// Layer: all MPTCP connections of a host: the token table (M18, M37), their agenda, and what is
// left of connections whose owner is gone while their subflows still close.
//
// It must outlive its connections, and tcp::Layer must not be used after it: subflows are users of
// TCP connections. The chunk pool must outlive it: what still closes may hold chunks.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "stack/base/agenda.h"
#include "stack/base/random.h"
#include "stack/mptcp/connection.h"
#include "stack/tcp/layer.h"

namespace braid::mptcp {

class Layer {
 public:
  Layer(tcp::Layer& tcp, Random& random);
  ~Layer();

  // A SYN with MP_JOIN that tcp::Layer returned: accepted into the connection that owns the token,
  // or refused with RST + MP_TCPRST (M40). One that overtook the third ACK, and with it the peer's
  // key, is dropped: it comes again. `path` describes our end of it.
  enum class Join : std::uint8_t { kAccepted, kUnknownToken, kRefused, kTooEarly };
  Join receive_join(tcp::InterfaceId interface, const wire::Segment& syn, const LocalPath& path,
                    Instant now);

  // Lets ready and due connections act, each once; what they hand to TCP leaves by
  // tcp::Layer::flush.
  void flush(Instant now);
  bool has_ready() const { return agenda_.has_ready(); }
  Instant next_deadline() const { return agenda_.next_deadline(); }
  // Connections that can be joined: with an owner, and not at their end.
  std::size_t size() const { return by_token_.size(); }
  // Those whose owner is gone while their subflows still close.
  std::size_t closing() const { return orphans_.size(); }

  tcp::Layer& tcp() { return tcp_; }
  Random& random() { return random_; }

 private:
  friend class Connection;
  friend class Core;

  MptcpKey new_key();  // M17, M18: its token is nobody's
  void remember_token(std::uint32_t token, Core& core);
  void forget_token(std::uint32_t token, const Core& core);
  void adopt(std::unique_ptr<Core> core);
  Agenda& agenda() { return agenda_; }

  tcp::Layer& tcp_;
  Random& random_;
  Agenda agenda_;
  std::unordered_map<std::uint32_t, Core*> by_token_;
  std::unordered_map<Core*, std::unique_ptr<Core>>
      orphans_;             // no owner, but something left to close
  std::vector<Core*> due_;  // kept to spare allocations
};

}  // namespace braid::mptcp
