// Scoreboard: what is outstanding, as one record per transmission, and the fate of each.
//
// The records cover [una, nxt) without a gap. A record is what one plan sent (a super-segment), cut
// where SACK blocks, partial ACKs or retransmissions cut it. Three fates:
//
//     in flight --ACK/SACK--> (gone) / sacked        in flight --judged--> lost --sent again--> in
//     flight
//
// Records live in a tree keyed by their end (a search is O(log n)); those in flight are also
// chained in transmission order, which is the order RACK judges them in. Neighbours that are both
// SACKed are joined, so a repeated SACK block costs one step. Nodes are recycled: no allocation
// while running; and given back when nothing is outstanding.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "stack/base/interval_set.h"
#include "stack/base/time.h"

namespace braid::tcp {

class Scoreboard {
 public:
  enum class Fate : std::uint8_t { kInFlight, kSacked, kLost };

  // Which transmission, for comparing who left first: parts of one are ordered by position.
  struct Sending {
    std::uint64_t order = 0;  // counts transmissions, from 1
    std::uint64_t end = 0;
    auto operator<=>(const Sending&) const = default;
  };

  struct Record {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    Instant sent_at;                 // of the latest transmission
    std::uint64_t order = 0;         // of the latest transmission
    std::uint32_t segment_size = 0;  // bytes of a full segment when it was sent
    bool retransmitted = false;
    Fate fate = Fate::kInFlight;

    std::uint64_t size() const { return end - begin; }
    Sending sending() const { return {order, end}; }
  };

  // One delivered record, as RACK and the RTT estimate want it.
  struct Sample {
    Sending sending;
    Instant sent_at;
    bool retransmitted = false;
  };

  // Bytes of one transmission that were judged lost.
  struct Loss {
    std::uint64_t order = 0;
    std::uint64_t bytes = 0;
  };

  struct AckFacts {
    std::uint64_t ack = 0;           // at most nxt()
    std::span<const Interval> sack;  // unfiltered: nonsense and what is known already is ignored
    Instant now;
    Duration min_rtt{};  // zero: unknown
    // What the ACK answers was sent before this moment, by its timestamp.
    std::optional<Instant> answers_before;
  };

  struct Delivery {
    std::uint64_t newly_acked = 0;      // positions una moved by
    std::uint64_t newly_delivered = 0;  // positions acked or SACKed for the first time
    std::uint64_t newly_sacked = 0;     // of these, SACKed
    std::uint64_t originals = 0;        // of these, sent once only
    std::uint64_t highest = 0;          // one past the highest of these; 0: none
    std::uint32_t largest_segment = 0;  // bytes of the largest whole segment among these
    // The last sent of what was delivered, retransmissions only when unambiguous (RFC 8985 6.2).
    std::optional<Sample> newest;
    // The first record una passed, if sent once and not SACKed before: the sample for SRTT.
    std::optional<Instant> acked_sent_at;
    // The last sent of the newly SACKed records that were sent once.
    std::optional<Instant> sacked_sent_at;
    bool reordered = false;  // sent once, yet delivered after something with a higher position
  };

  // Everything below `position` is acknowledged before anything was sent. Only when empty.
  void start(std::uint64_t position);

  // [nxt, end) leaves now.
  void append(std::uint64_t end, std::uint32_t segment_size, Instant now);
  // [begin, end) leaves again. It lies inside one record that is lost or in flight.
  void retransmit(std::uint64_t begin, std::uint64_t end, std::uint32_t segment_size, Instant now);

  Delivery acknowledge(const AckFacts& facts);

  // Judgement. mark_lost: the record must be in flight.
  void mark_lost(const Record& record);
  void mark_all_lost();                               // all that is in flight
  void mark_larger_lost(std::uint32_t segment_size);  // sent in segments larger than this
  // Up to `length` positions from una on, if in flight (without SACK: RFC 6582).
  void mark_head_lost(std::uint64_t length);
  // The judgement was wrong: what is lost and was not sent again is in flight as before.
  void unmark_lost();
  // What was judged lost since this was last asked, in the order of the judgements.
  std::vector<Loss> take_losses() { return std::exchange(losses_, {}); }
  // The peer took its SACKs back (RFC 2018 section 8): what was SACKed is lost.
  void forget_sacks();

  std::uint64_t una() const { return una_; }
  std::uint64_t nxt() const { return nxt_; }
  bool empty() const { return records_.empty(); }
  std::uint64_t outstanding() const { return nxt_ - una_; }
  std::uint64_t in_flight() const { return outstanding() - sacked_ - lost_; }
  std::uint64_t last_order() const { return last_order_; }  // of the last transmission; 0: none
  std::uint64_t sacked() const { return sacked_; }
  std::uint64_t lost() const { return lost_; }
  // One past the highest position ever delivered.
  std::uint64_t highest_delivered() const { return highest_delivered_; }
  std::size_t record_count() const { return records_.size(); }

  // Pointers stay valid until the next call that is not const.
  const Record* first() const;                     // at una; nullptr when empty
  const Record* last() const;                      // ending at nxt; nullptr when empty
  const Record* lowest_lost() const;               // nullptr when nothing is lost
  const Record* oldest_in_flight() const;          // by transmission; nullptr when none
  const Record* at(std::uint64_t position) const;  // the one that holds it; nullptr when outside
  std::vector<Record> records() const;             // a copy, for tests
  void validate() const;

 private:
  struct Node {
    Record record;
    Node* older = nullptr;  // in flight only
    Node* newer = nullptr;
  };
  using Tree = std::map<std::uint64_t, Node>;  // by record.end

  Tree::iterator insert(Tree::iterator hint, const Record& record);
  void remove(Tree::iterator it);
  Tree::iterator split(Tree::iterator it, std::uint64_t position);
  void chain_newest(Node& node);
  void chain_before(Node& node, Node& place);
  void unchain(Node& node);
  void lose(Node& node);
  void restore_chain();
  void acknowledge_below(const AckFacts& facts, Delivery& delivery);
  void sack_block(Interval block, const AckFacts& facts, Delivery& delivery);
  Tree::iterator set_sacked(Tree::iterator it);
  void note_delivered(const Record& part, const AckFacts& facts, Delivery& delivery) const;

  Tree records_;
  std::vector<Tree::node_type> spare_;
  Node* oldest_ = nullptr;
  Node* newest_ = nullptr;
  std::uint64_t una_ = 0;
  std::uint64_t nxt_ = 0;
  std::uint64_t sacked_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t highest_delivered_ = 0;
  std::uint64_t last_order_ = 0;
  std::vector<Loss> losses_;
  mutable std::uint64_t lost_hint_ = 0;  // nothing below it is lost
};

}  // namespace braid::tcp
