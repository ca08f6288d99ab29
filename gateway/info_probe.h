// InfoProbe: one Info request (RFC 8803 C21) over one uplink: the only honest question "is this
// path to the concentrator alive?". It is answered at once and involves no server (DESIGN 6).
// Timers by name:
//   patience   the request is sent once more, and again every quarter of a second
//   verdict    nothing came: the path is dead, or deaf
#pragma once

#include <cstdint>
#include <optional>

#include "gateway/host.h"
#include "gateway/path_health.h"
#include "stack/base/pipe.h"
#include "stack/mptcp/connection.h"

namespace braid::gateway {

class InfoProbe final : public Activity {
 public:
  // `watcher` is woken once the outcome is known. All must outlive the probe.
  InfoProbe(Host& host, PathHealth& health, Agenda::Entry& watcher);

  void start(const mptcp::LocalPath& path, std::uint16_t local_port,
             const wire::Endpoint& concentrator, Instant now);
  void flush(Instant now) override;

  enum class Outcome : std::uint8_t {
    kAlive,    // a Convert reply came, whatever it said
    kDead,     // silence
    kDeaf,     // silence, while other packets came in
    kRefused,  // something answered, but no converter does
  };
  const std::optional<Outcome>& outcome() const { return outcome_; }

 private:
  void repeat_question(Instant now);
  Duration round_trip(Instant now) const;
  void conclude(Outcome outcome, Instant now);

  Host& host_;
  PathHealth& health_;
  Agenda::Entry& watcher_;
  Pipe up_;
  Pipe down_;
  mptcp::Connection connection_;
  Instant started_;
  Instant last_sent_;
  tcp::Tuple tuple_;
  std::optional<Outcome> outcome_;
};

}  // namespace braid::gateway
