// RateSampler: how fast the path delivers (draft-cheng-iccrg-delivery-rate-estimation).
//
// Each transmission leaves with a note of what had been delivered by then; its ACK makes a sample
// of what was delivered since. The sample's interval is the longer one of how long it took to send
// and how long it took to be answered, so that neither bursts nor squeezed ACKs look like
// bandwidth. A sample from a time without enough to send is marked: it says only what the path
// carries at least.
//
// Notes are kept in order of transmission (Scoreboard::Record::order), from the oldest still in
// flight on; a record cut in parts shares one. Nothing is held while nothing is in flight.
#pragma once

#include <cstdint>

#include "stack/base/ring.h"
#include "stack/base/time.h"
#include "stack/cc/controller.h"

namespace braid::tcp {

class RateSampler {
 public:
  // Transmission `order` (they count up from 1 without a gap) leaves. `flight`: bytes in flight
  // now, its `bytes` included.
  void on_sent(std::uint64_t order, std::uint64_t bytes, std::uint64_t flight, Instant now);
  // There was room in the window and nothing to send: until all in flight is delivered, samples
  // tell of the application.
  void on_app_limited(std::uint64_t in_flight);

  // An ACK delivered `bytes` for the first time; `newest`: the order of the last sent of them, zero
  // if that is not known. `min_rtt`: shorter intervals than this are no samples; zero: unknown.
  cc::RateSample on_delivered(std::uint64_t bytes, std::uint64_t newest, Duration min_rtt,
                              Instant now);
  // `bytes` of transmission `order` were judged lost.
  cc::Loss on_lost(std::uint64_t order, std::uint64_t bytes, Instant now);
  // No transmission before `order` will be asked about any more.
  void forget_before(std::uint64_t order);

  // What the path delivers: the last sample that tells of the path; one that tells of the
  // application counts when it shows more. Zero: no sample yet.
  Rate rate() const { return rate_; }
  std::uint64_t delivered() const { return delivered_; }  // bytes, ever
  std::uint64_t lost() const { return lost_; }            // bytes, ever
  // Round trips by delivery: one ends when something is delivered that left after it began.
  std::uint64_t round() const { return round_; }
  bool app_limited() const { return app_limited_until_ > 0; }
  std::size_t note_count() const { return notes_.size(); }

 private:
  struct Note {
    Instant sent_at;
    Instant first_sent_at;  // of the flight this transmission belongs to
    Instant delivered_at;   // when something had last been delivered
    std::uint64_t delivered = 0;
    std::uint64_t lost = 0;
    std::uint64_t flight = 0;
    bool app_limited = false;
  };
  const Note* note(std::uint64_t order) const;

  Ring<Note> notes_;
  std::uint64_t first_order_ = 1;  // of notes_[0]

  std::uint64_t delivered_ = 0;
  std::uint64_t lost_ = 0;
  Rate rate_;
  Instant delivered_at_;
  Instant first_sent_at_;
  std::uint64_t app_limited_until_ = 0;  // of delivered_; zero: not limited
  std::uint64_t round_ = 0;
  std::uint64_t next_round_ = 0;  // of delivered_
};

}  // namespace braid::tcp
