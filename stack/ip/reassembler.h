// Reassembler: puts fragments of both families together in plain code (RFC 791 3.2, RFC 8200 4.5).
//
// IPv4 follows lwIP, so that both forms of ip::Layer agree: a piece that repeats or overlaps an
// earlier one is refused and the first copy stays. IPv6 follows RFC 5722: an overlap that is no
// plain repeat discards the datagram. A datagram is whole when a last piece is there and nothing is
// missing from zero to the end of what waits; it ends where the latest last piece said. The oldest
// make room for the newest.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "stack/base/time.h"
#include "stack/ip/header.h"

namespace braid::ip {

class Reassembler {
 public:
  static constexpr std::size_t kMaxDatagrams = 64;
  static constexpr std::size_t kMaxPieces = 512;  // over all datagrams
  static constexpr Duration kLifetimeV4 = 30s;
  static constexpr Duration kLifetimeV6 = 60s;

  enum class Refused { kRepeated, kOverlap, kNoRoom };
  struct Whole {
    std::vector<std::uint8_t> packet;  // the datagram with a plain IP header (build_packet)
  };
  struct Kept {};
  using Result = std::variant<Kept, Refused, Whole>;

  // `header` holds a fragment.
  Result add(const Header& header, Instant now);
  // Drops what waited too long; returns how many datagrams.
  std::size_t expire(Instant now);
  // When expire() has something to do; kNever while nothing waits.
  Instant next_deadline() const;
  // Datagrams dropped to make room, ever.
  std::uint64_t evicted() const { return evicted_; }
  std::size_t waiting() const { return datagrams_.size(); }
  void validate() const;

 private:
  struct Waiting {
    Header header;  // of the piece at offset 0 once it is there
    Instant deadline;
    std::map<std::uint32_t, std::vector<std::uint8_t>> pieces;  // by offset
    std::optional<std::size_t> end;  // of the datagram, as the latest last piece had it
  };
  using Datagrams = std::list<Waiting>;  // oldest first

  Result insert(const Header& header, Instant now);
  Datagrams::iterator find_or_start(const Header& header, Instant now);
  static std::vector<std::uint8_t> join(const Waiting& datagram);
  void drop(Datagrams::iterator datagram);
  void make_room(Datagrams::const_iterator keep);

  Datagrams datagrams_;
  std::size_t pieces_ = 0;
  std::uint64_t evicted_ = 0;
};

}  // namespace braid::ip
