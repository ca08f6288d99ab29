// Diary: a run in words: one line for every packet that reaches a host, as tcpdump would have it,
// and once a second what each role says of its own connections, as `braid status` would. Two runs
// of one seed are compared line by line, so the first difference can be read.
#pragma once

#include <optional>
#include <string>

#include "tests/sim/random/random_world.h"

namespace braid::sim {

class Diary {
 public:
  // Written from now on; `net` must outlive it. The run itself is not changed by it.
  explicit Diary(RandomWorld& net);

  const std::string& text() const { return text_; }
  // The first thing a role said of itself that cannot be.
  const std::optional<std::string>& absurdity() const { return absurdity_; }

 private:
  void note_packet(Port port, const PacketIn& packet, Instant now);
  void note_segment(const wire::IpHeader& ip, const PacketIn& packet, Bytes transport);
  void note_roles(Instant now);
  void note_bundle(const char* role, gateway::Host& host, const mptcp::Connection& bundle);
  void note_host(const char* role, gateway::Host& host);
  void doubt(bool possible, const char* what);

  RandomWorld& net_;
  std::string text_;
  std::optional<std::string> absurdity_;
};

// The first line in which two diaries differ, and both forms of it.
std::string first_difference(const std::string& a, const std::string& b);

}  // namespace braid::sim
