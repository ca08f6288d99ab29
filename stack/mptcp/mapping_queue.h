// MappingQueue: what one subflow has been given to send, as mappings (RFC 8684 3.3.1).
//
// Positions are those of tcp::StreamUser. Mappings lie back to back from start() on; each keeps a
// Hold on its bytes until the subflow's TCP acknowledged them (M64, M72), whatever the data level
// has done meanwhile. A mapping is never changed once it is here (M50).
#pragma once

#include <cstdint>
#include <optional>

#include "stack/base/bytes.h"
#include "stack/base/pipe.h"
#include "stack/base/ring.h"

namespace braid::mptcp {

class MappingQueue {
 public:
  struct Mapping {
    std::uint64_t position = 0;  // of its first byte on the subflow
    std::uint64_t data_sequence = 0;
    StreamOffset begin;        // of its first byte in the pipe
    std::uint32_t length = 0;  // bytes, at least 1
    bool data_fin = false;     // the DATA_FIN's octet follows its last byte
    std::optional<std::uint16_t> checksum;
    std::uint64_t end() const { return position + length; }
    std::uint16_t wire_length() const { return static_cast<std::uint16_t>(length + data_fin); }
  };

  // Where the first mapping will lie; only while there is none.
  void set_start(std::uint64_t position);
  std::uint64_t start() const { return start_; }
  std::uint64_t end() const { return end_; }  // where the next mapping will lie

  // What the next push() needs: its relative subflow sequence number (SSN 1 is start()).
  std::uint32_t subflow_sequence(std::uint64_t position) const {
    return static_cast<std::uint32_t>(position - start_ + 1);
  }
  // `hold` must not be empty.
  void push(std::uint64_t data_sequence, Pipe::Hold hold, bool data_fin,
            std::optional<std::uint16_t> checksum);

  // The mapping that holds `position`, or nullptr.
  const Mapping* at(std::uint64_t position) const;
  // Where the pipe's byte at `offset` lies: its position on the subflow, the lowest if there are
  // several; nothing when no mapping here holds it. Linear.
  std::optional<std::uint64_t> position_of(StreamOffset offset) const;
  // Bytes from `position` on, never past the end of their mapping. Empty when not held.
  Slices peek(std::uint64_t position, std::uint32_t max_length) const;

  // The subflow acknowledged everything below `position`. Gives the mappings that are done with,
  // oldest first, until there is none.
  std::optional<Mapping> acked(std::uint64_t position);
  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  void validate() const;

 private:
  struct Entry {
    Mapping mapping;
    Pipe::Hold hold;
  };
  const Entry* entry_at(std::uint64_t position) const;

  std::uint64_t start_ = 0;
  std::uint64_t end_ = 0;
  Ring<Entry> entries_;
};

}  // namespace braid::mptcp
