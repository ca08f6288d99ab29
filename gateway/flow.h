// Flow: one LAN connection on its way to the concentrator. At the gateway.
//
//   LAN client <-- lan_ (PipeStream) --> up_, down_ <-- bundle_ (mptcp::Connection) --> uplinks
//
//   connecting --Convert reply without error--> relaying --one leg breaks--> ending --> done
//     | ^  \--path silent, Info unanswered--\       \-----both legs closed in order------^
//     | \----------over the next uplink-----/                                    ^
//     \--error, refusal, LAN client gone----------------------------------------/
//
// The LAN's SYN-ACK is withheld until the Convert *reply* says yes (DESIGN 6), so a refused server
// is refused to the LAN client too. Timers by name:
//   patience          connecting: how long the Convert SYN may stay silent before the path is asked
//   client patience   connecting: a client that says nothing any more is forgotten
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "gateway/host.h"
#include "gateway/uplinks.h"
#include "stack/base/pipe.h"
#include "stack/convert/client.h"
#include "stack/mptcp/connection.h"
#include "stack/tcp/pipe_stream.h"

namespace braid::gateway {

// What flows share with the gateway that owns them.
class FlowOwner {
 public:
  virtual ~FlowOwner() = default;
  virtual Host& host() = 0;
  virtual Uplinks& uplinks() = 0;
  virtual const GatewayConfig& config() const = 0;
  // Asks whether the path is alive; one question per uplink at a time. Flows that connect over it
  // are woken when the answer is known.
  virtual void ask_path(tcp::InterfaceId interface, Instant now) = 0;
  // This flow is done: to be destroyed once the present flush is over.
  virtual void flow_done(std::uint64_t id) = 0;
  // The concentrator no longer knows a connection it carried.
  virtual void concentrator_forgot(Instant now) = 0;
};

class Flow final : public Activity {
 public:
  Flow(FlowOwner& owner, std::uint64_t id, const wire::Segment& syn, Instant now);

  void flush(Instant now) override;
  void paths_changed(Instant now);
  void reconfigured();   // the owner's configuration differs from now on
  void links_changed();  // what schedulers know of the uplinks does
  // Whether the concentrator still knows this connection is asked then.
  void ask_at(Instant when);

  enum class State : std::uint8_t { kConnecting, kRelaying, kEnding, kDone };
  State state() const { return state_; }
  // The uplink the Convert SYN left by.
  tcp::InterfaceId interface() const { return tried_.empty() ? kInside : tried_.back(); }
  const wire::Endpoint& client() const { return client_; }
  const wire::Endpoint& server() const { return server_; }
  const mptcp::Connection* bundle() const { return bundle_.get(); }
  const Pipe& up() const { return up_; }
  const Pipe& down() const { return *down_; }

 private:
  void connect_over_next_path(Instant now);
  void start_down();
  void flush_connecting(Instant now);
  void note_client(Instant now);
  void await_reply(Instant now);
  void leave_dead_path(Instant now);
  void accepted(const convert::Accepted& reply, Instant now);
  void refused(const convert::Refused& reply, Instant now);
  void flush_relaying(Instant now);
  // The LAN client learns the truth: a RST, or an ICMP error of this kind and nothing else.
  void refuse_client(Instant now);
  void tell_unreachable(wire::IcmpError::Kind kind, Instant now);
  void fall_silent(Instant now);
  void end_both(Instant now);
  void flush_ending();

  FlowOwner& owner_;
  std::uint64_t id_;
  wire::Endpoint client_;
  wire::Endpoint server_;
  SeqNum syn_seq_;  // for ICMP errors about the client's SYN
  Pipe up_;
  std::optional<Pipe> down_;  // made anew for another attempt; always there
  tcp::PipeStream lan_;
  std::unique_ptr<mptcp::Connection> bundle_;
  std::vector<tcp::InterfaceId> tried_;
  Instant attempt_started_;
  Instant began_;
  Instant client_asked_at_;  // its latest SYN
  std::uint32_t client_repeats_ = 0;
  Instant client_patient_until_;  // while connecting
  Instant question_ = kNever;
  State state_ = State::kConnecting;
};

}  // namespace braid::gateway
