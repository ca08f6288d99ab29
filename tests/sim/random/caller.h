// Caller: a host that speaks Convert to the concentrator with its own hands: right requests from an
// ordinary TCP or MPTCP client, and every kind of wrong one (RFC 8803 C12-C53). Its own link loses
// nothing, so what each call must meet is known to the bit.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stack/convert/client.h"
#include "stack/ip/plain_layer.h"
#include "stack/mptcp/layer.h"
#include "stack/tcp/layer.h"
#include "tests/sim/random/plan.h"
#include "tests/support/sim/door.h"
#include "tests/support/sim/host.h"

namespace braid::sim {

// Call i is served at server port kFirstCallPort + i.
inline constexpr std::uint16_t kFirstCallPort = 2000;

class Caller;

// One call: what it says, what it hears, and what it should have heard.
class Call : public Agenda::Entry {
 public:
  Call(Caller& caller, const CallPlan& plan, std::uint16_t port);
  void start(Instant now);
  void flush(Instant now);
  bool over() const { return over_; }
  // Turned away without a word, as happens where there is no memory for one.
  bool turned_away() const;
  // Nothing when it met what was due to it.
  std::optional<std::string> failure() const;

 private:
  enum class Heard : std::uint8_t { kNothing, kInfo, kAccepted, kError, kNonsense };
  void listen(Instant now);
  void relay();
  void conclude(Instant now);
  bool everything_came() const;

  Caller& caller_;
  CallPlan plan_;
  std::uint16_t port_;
  Pipe up_, down_;
  mptcp::Connection connection_;
  Instant deadline_ = kNever;
  Heard heard_ = Heard::kNothing;
  wire::ConvertError error_;
  std::vector<std::uint8_t> supported_;
  bool options_shown_ = false;  // the reply held the server's options
  StreamOffset start_;          // of the server's bytes, behind the reply
  bool intact_ = true;
  bool over_ = false;
};

class Caller final : public Host {
 public:
  Caller(std::uint64_t seed, SimDoor& door);
  ~Caller() override;

  void call(const CallPlan& plan, std::uint16_t port, Instant now);
  const std::vector<std::unique_ptr<Call>>& calls() const { return calls_; }

  void receive(int interface, const PacketIn& packet, Instant now) override;
  void flush(Instant now) override;
  Instant next_deadline() override;

 private:
  friend class Call;
  class DoorExit final : public tcp::Exit {
   public:
    explicit DoorExit(SimDoor& door) : door_(door) {}
    bool ready(tcp::InterfaceId) const override { return door_.ready(); }
    void send(tcp::InterfaceId, const wire::Segment& segment) override {
      door_.send(wire::make_packet(segment, identification_++));
    }

   private:
    SimDoor& door_;
    std::uint16_t identification_ = 0;
  };

  Random random_;
  ChunkPool pool_;
  Agenda agenda_;
  ip::PlainLayer ip_;
  DoorExit exit_;
  tcp::Layer tcp_;
  mptcp::Layer mptcp_;
  std::vector<std::unique_ptr<Call>> calls_;
  std::uint16_t next_port_ = 30000;
};

}  // namespace braid::sim
