// SendQueue: how much a socket's send buffer takes, as the kernel scripts are written for counts
// it.
//
// Written bytes fill packets of at most half the largest window the peer has shown. Another packet
// is begun while all of them together, each with a price beyond its bytes, cost less than the
// buffer, and while less than TCP_NOTSENT_LOWAT waits to leave. So a buffer takes up to one packet
// more than its size; and what leaves from the middle of a packet makes room for as much at its
// end.
#pragma once

#include <cstdint>
#include <deque>

namespace braid::pd {

class SendQueue {
 public:
  // Of the connection and its socket, now. Offsets of the stream.
  struct Facts {
    std::uint64_t acknowledged = 0, sent = 0;
    std::uint64_t packet = 1;         // bytes one holds at most
    std::uint64_t buffer = 0;         // bytes
    std::uint64_t notsent_lowat = 0;  // bytes
  };
  // Who finds a full buffer is woken later than who looks finds room: writers should not be woken
  // for a little.
  enum class Asked { kLooking, kWaiting };

  // Bytes that may be put at once; after a step there may be more.
  std::uint64_t room(const Facts& facts);
  // `bytes` at most room().
  void put(std::uint64_t bytes);
  // What was put so far is a packet's end (MSG_EOR).
  void end_packet() { open_ = false; }
  bool writable(const Facts& facts, Asked asked);
  // One of the packets ends at this offset.
  bool ends_at(std::uint64_t offset) const;

 private:
  void follow(const Facts& facts);
  std::uint64_t cost(const Facts& facts) const;
  std::uint64_t waiting(const Facts& facts) const;

  std::deque<std::uint64_t> ends_;  // of the packets, the last one's being all there is
  std::uint64_t written_ = 0;
  std::uint64_t tail_ = 0;    // begin of the last packet
  bool open_ = false;         // it may grow
  bool next_begins_ = false;  // what is put next begins another
};

}  // namespace braid::pd
