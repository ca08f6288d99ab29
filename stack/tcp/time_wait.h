// TimeWait: connections in TIME-WAIT (RFC 9293 3.6.1) as small records, all with the same duration,
// so expiry is a queue. RFC 6191 lets a new SYN take a record's place; RFC 1337: RST does not.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>

#include "stack/base/time.h"
#include "stack/tcp/connection.h"
#include "stack/tcp/isn.h"
#include "stack/tcp/tuple.h"

namespace braid::tcp {

// Hash of a Tuple under the layer's secret.
struct TupleHash {
  const TupleSecret* secret;
  std::size_t operator()(const Tuple& t) const { return secret->table_hash(t); }
};

class TimeWait {
 public:
  static constexpr Duration kDuration = 60s;  // 2 MSL, MSL 30 s

  explicit TimeWait(const TupleSecret& secret) : records_(8, TupleHash{&secret}) {}

  void add(const Tuple& tuple, const Connection::Remains& remains, Instant now);
  // What a segment for a tuple in TIME-WAIT asks for.
  enum class Answer : std::uint8_t { kNone, kAck, kNewConnection };
  Answer receive(const Tuple& tuple, const wire::Segment& segment, Instant now);
  const Connection::Remains* find(const Tuple& tuple) const;
  void erase(const Tuple& tuple) { records_.erase(tuple); }
  wire::Segment make_ack(const Tuple& tuple, Instant now) const;

  void expire(Instant now);
  Instant next_deadline() const;  // at most early, when a record was restarted
  std::size_t size() const { return records_.size(); }

 private:
  struct Record {
    Connection::Remains remains;
    Instant expiry;
  };
  struct Expiry {
    Instant when;
    Tuple tuple;
  };
  std::unordered_map<Tuple, Record, TupleHash> records_;
  std::deque<Expiry> queue_;  // ascending; entries of restarted or reused records are stale
};

}  // namespace braid::tcp
