// Net: two hosts with whole TCP and MPTCP layers, joined by a cell's two uplinks, and one transfer
// between them in virtual time.
//
// Segments travel as structs, and what the links' queues hold is a stand-in of the same size: the
// bytes themselves are shown to arrive elsewhere (sim_seeds), here only time counts, and thousands
// of transfers must be cheap. The links are the simulator's LinkModel. The source always has more
// to send, the sink always takes what came: nothing but braid and the uplinks decides.
//
//   download  the client asks with 100 bytes, the server answers with the transfer
//   upload    the client sends the transfer
// Bonded, the server's Convert reply goes first, back to back with its SYN-ACK: it is what lets
// joins begin. The client is the end that has uplinks to choose from. It starts as a gateway does
// that has used both before: where a small fetch is through first (gateway/uplinks.h), and it knows
// their round trips.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "stack/base/pipe.h"
#include "stack/mptcp/layer.h"
#include "stack/tcp/pipe_stream.h"
#include "tests/sim/law/cell.h"
#include "tests/support/sim/link_model.h"

namespace braid::law {

enum class Way : std::uint8_t { kBonded, kFirst, kSecond };  // both uplinks; plain TCP over one
enum class Direction : std::uint8_t { kDown, kUp };
// kSoonest: where 15 kB are through first, as the gateway does that knows rates, too.
enum class Start : std::uint8_t { kShortestRtt, kSoonest };

// What both roles make of a configuration that says nothing of it (gateway/bundle.h).
inline mptcp::ConnectionConfig shipped() {
  mptcp::ConnectionConfig config;
  config.algorithm = cc::Algorithm::kCoupledCubic;
  config.policy = sched::Policy::kMinRtt;
  return config;
}

struct Transfer {
  Way way = Way::kBonded;
  Direction direction = Direction::kDown;
  std::uint64_t bytes = 0;
  std::uint64_t seed = 1;
  cc::Algorithm alone = cc::Algorithm::kCubic;  // of plain TCP
  mptcp::ConnectionConfig bundle = shipped();   // of the bonded connection
  std::size_t memory = 256U << 20;              // of each end, bytes
  Start start = Start::kSoonest;
  Duration limit = 600s;
};

// Where the time of a bonded transfer went. Times are sums over samples taken every 10 ms at the
// sending end.
struct Hints {
  std::array<double, 2> used{};         // of what each uplink could have carried
  std::array<Duration, 2> by_window{};  // it could have sent, the peer's window was used up
  std::array<Duration, 2> by_other{};   // it could have sent: the pipe or the scheduler held back
  std::uint64_t reinjected = 0;         // bytes
  std::uint64_t retransmitted = 0;      // bytes, by the subflows
  std::uint64_t timeouts = 0;
  std::uint64_t capacity = 0;           // of the receiving pipe at the end, bytes
  std::array<std::size_t, 2> memory{};  // the most the sending and the receiving end held, bytes
};

struct Outcome {
  std::optional<Duration> time;  // from the SYN to the last byte; nothing: the limit came first
  Hints hints;
};

class Net {
 public:
  Net(const Cell& cell, const Transfer& transfer);
  ~Net();
  Net(const Net&) = delete;
  Net& operator=(const Net&) = delete;

  Outcome run();

 private:
  class End;
  struct Flying {
    std::uint64_t number = 0;
    wire::Segment segment;  // its payload is only a length
  };
  // One direction of one uplink.
  struct Wire {
    sim::LinkModel model;
    std::deque<Flying> flying;  // in order of `number`; those the link lost are passed over
    std::uint64_t next_number = 0;
  };

  void start();
  std::size_t first_uplink() const;
  void emit(const End& from, tcp::InterfaceId interface, const wire::Segment& segment);
  void deliver_due();
  void deliver(End& to, tcp::InterfaceId interface, const wire::Segment& segment);
  void settle();
  Instant next_event();
  void move_data();
  bool done() const;
  std::uint64_t reply() const;
  void sample(Duration span);
  Outcome conclude();

  static constexpr Duration kSample = 10ms;

  Cell cell_;
  Transfer transfer_;
  Random random_;
  std::unique_ptr<End> client_;
  std::unique_ptr<End> server_;
  std::vector<Wire> wires_;  // uplink 0 to the server, to the client, uplink 1 ...
  Instant now_{};
  Instant next_sample_{};
  Hints hints_;
};

}  // namespace braid::law
