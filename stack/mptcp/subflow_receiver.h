// SubflowReceiver: the receiving half of one subflow: which of its bytes are which data (RFC 8684
// 3.3.1), and where they wait until that is known.
//
//   mapped, no checksum   straight to the data level, in whatever order it comes
//   mapped, checksum      staged here until the whole mapping is in order and its sum is right
//   not mapped, in order  held (one burst) until a mapping covers it (M59); out of order: refused
//   after a fallback      straight to the pipe, position by position
//
// Positions are those of tcp::StreamUser; SSN 1 is start().
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "stack/base/interval_set.h"
#include "stack/base/ring.h"
#include "stack/mptcp/data_level.h"
#include "stack/wire/mptcp_options.h"

namespace braid::mptcp {

class SubflowReceiver {
 public:
  static constexpr std::uint64_t kMaxUnmapped = 64 * 1024;       // bytes held without mapping
  static constexpr std::uint64_t kMaxStaged = 16 * 1024 * 1024;  // bytes under a checksum
  static constexpr std::size_t kMaxMappings = 16 * 1024;         // declared and not used up

  explicit SubflowReceiver(DataLevel& level) : level_(level) {}
  void set_start(std::uint64_t position);

  enum class Declared : std::uint8_t {
    kFine,
    kContradiction,  // changes a mapping declared before (M50)
    kWrongChecksum,  // one where none was agreed on, or none where one was (M58)
  };
  // The mapping of a DSS that is not infinite; its DATA_FIN is passed on.
  Declared declare(const wire::Dss& dss);
  // MP_CAPABLE with data: maps from the first byte of the stream (M21).
  Declared declare(const wire::MpCapable& option);

  bool maps(std::uint64_t position) const { return find(position) != nullptr; }
  bool mapping_seen() const { return mapping_seen_; }
  // Every mapping so far ran in parallel with the pipe: plain TCP could have carried it.
  bool straight() const { return straight_; }
  std::uint64_t next_position() const { return next_; }

  // See tcp::StreamUser::place and received_up_to.
  Interval place(std::uint64_t position, const Slices& bytes);
  void received_up_to(std::uint64_t position);

  // A mapping whose sum was wrong; nothing behind it is delivered until fall_back().
  std::optional<std::uint64_t> failed_data_sequence() const { return failed_; }
  // No mapping came within a receive window of data (M60).
  bool starved() const { return starved_; }
  // Starved, though mapped bytes came after: the peer goes on mapping, one of its options was lost.
  bool overtaken() const { return overtaken_; }
  // Plain TCP from here on: what is held or staged goes to the pipe at its position.
  void fall_back();
  void validate() const;

 private:
  struct Staging {
    std::vector<std::uint8_t> bytes;  // from the mapping's first one on
    IntervalSet there;                // which of them are, from 0
  };
  struct Mapping {
    std::uint64_t position = 0;
    std::uint64_t data_sequence = 0;
    std::uint32_t length = 0;  // bytes, without the DATA_FIN
    std::uint32_t subflow_sequence = 0;
    std::uint16_t wire_length = 0;
    std::optional<std::uint16_t> checksum;
    std::unique_ptr<Staging> staging = {};  // with a checksum, once bytes have come
    std::uint64_t end() const { return position + length; }
    std::size_t staged_bytes() const { return staging ? staging->bytes.size() : 0; }
    bool has_data_fin() const { return wire_length > length; }
  };

  Declared add(Mapping mapping);
  Declared add_checked(Mapping mapping);
  std::size_t first_ending_after(std::uint64_t position) const;
  const Mapping* find(std::uint64_t position) const;
  std::uint64_t next_mapping_after(std::uint64_t position) const;
  Interval place_mapped(Mapping& mapping, std::uint64_t position, const Slices& bytes);
  Interval hold(std::uint64_t position, const Slices& bytes, std::uint64_t in_order);
  Interval place_plain(std::uint64_t position, const Slices& bytes);
  void take_held();
  static bool is_whole(const Mapping& mapping);
  void deliver_checked(const Mapping& mapping);

  DataLevel& level_;
  std::uint64_t start_ = 0;
  std::uint64_t next_ = 0;  // every position below has been received
  // Ascending, disjoint. Where segments come in order each brings the one mapping there is, and
  // takes it away again.
  Ring<Mapping, 1> mappings_;
  std::uint64_t staged_ = 0;
  std::uint64_t held_begin_ = 0;
  std::vector<std::uint8_t> held_;
  bool mapping_seen_ = false;
  bool straight_ = true;
  bool starved_ = false;
  bool overtaken_ = false;
  std::optional<std::uint64_t> failed_;
};

}  // namespace braid::mptcp
