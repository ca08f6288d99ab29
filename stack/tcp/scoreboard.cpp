#include "stack/tcp/scoreboard.h"

#include <algorithm>
#include <iterator>

#include "stack/base/ensure.h"

namespace braid::tcp {
namespace {

constexpr std::size_t kMaxSpare = 128;  // nodes kept for reuse

}  // namespace

void Scoreboard::start(std::uint64_t position) {
  ENSURE(empty());
  una_ = nxt_ = highest_delivered_ = lost_hint_ = position;
}

void Scoreboard::append(std::uint64_t end, std::uint32_t segment_size, Instant now) {
  ENSURE(end > nxt_);
  const auto it = insert(records_.end(), {.begin = nxt_,
                                          .end = end,
                                          .sent_at = now,
                                          .order = ++last_order_,
                                          .segment_size = segment_size});
  chain_newest(it->second);
  nxt_ = end;
}

void Scoreboard::retransmit(std::uint64_t begin, std::uint64_t end, std::uint32_t segment_size,
                            Instant now) {
  auto it = records_.upper_bound(begin);
  ENSURE(begin < end && it != records_.end());
  ENSURE(it->second.record.begin <= begin && end <= it->second.record.end);
  ENSURE(it->second.record.fate != Fate::kSacked);
  if (it->second.record.begin < begin) split(it, begin);
  if (end < it->second.record.end) it = split(it, end);
  Node& node = it->second;
  if (node.record.fate == Fate::kLost) {
    lost_ -= node.record.size();
  } else {
    unchain(node);
  }
  node.record.sent_at = now;
  node.record.order = ++last_order_;
  node.record.segment_size = segment_size;
  node.record.retransmitted = true;
  node.record.fate = Fate::kInFlight;
  chain_newest(node);
}

Scoreboard::Delivery Scoreboard::acknowledge(const AckFacts& facts) {
  ENSURE(facts.ack <= nxt_);
  Delivery delivery;
  std::uint64_t highest = highest_delivered_;
  if (facts.ack > una_) {
    acknowledge_below(facts, delivery);
    highest = std::max(highest, una_);
  }
  for (const Interval& block : facts.sack) {
    // Below una it is a DSACK, beyond nxt nonsense.
    if (block.begin >= block.end || block.end <= una_ || block.end > nxt_) continue;
    sack_block({std::max(block.begin, una_), block.end}, facts, delivery);
    highest = std::max(highest, block.end);
  }
  highest_delivered_ = highest;
  return delivery;
}

void Scoreboard::acknowledge_below(const AckFacts& facts, Delivery& delivery) {
  bool ambiguous = false;
  std::optional<Instant> first_sent_at;
  while (!records_.empty() && records_.begin()->second.record.begin < facts.ack) {
    const auto it = records_.begin();
    Record part = it->second.record;
    part.end = std::min(part.end, facts.ack);
    if (part.fate == Fate::kSacked) {
      sacked_ -= part.size();
    } else {
      if (part.fate == Fate::kLost) lost_ -= part.size();
      delivery.newly_delivered += part.size();
      note_delivered(part, facts, delivery);
      ambiguous |= part.retransmitted;
      if (!first_sent_at) first_sent_at = part.sent_at;
    }
    if (part.end == it->second.record.end) {
      if (part.fate == Fate::kInFlight) unchain(it->second);
      remove(it);
    } else {
      it->second.record.begin = part.end;
    }
  }
  delivery.newly_acked = facts.ack - una_;
  una_ = facts.ack;
  lost_hint_ = std::max(lost_hint_, una_);
  // Karn: one retransmission among what was passed, and the ACK may answer that.
  if (!ambiguous) delivery.acked_sent_at = first_sent_at;
}

void Scoreboard::sack_block(Interval block, const AckFacts& facts, Delivery& delivery) {
  auto it = records_.upper_bound(block.begin);
  while (it != records_.end() && it->second.record.begin < block.end) {
    if (it->second.record.fate == Fate::kSacked) {
      ++it;
      continue;
    }
    if (it->second.record.begin < block.begin) split(it, block.begin);
    if (block.end < it->second.record.end) it = split(it, block.end);
    const Record& record = it->second.record;
    delivery.newly_delivered += record.size();
    delivery.newly_sacked += record.size();
    // Its timestamp says nothing of this: behind a hole the echo stands still (RFC 7323 4.3).
    AckFacts untimed = facts;
    untimed.answers_before.reset();
    note_delivered(record, untimed, delivery);
    if (!record.retransmitted &&
        record.sent_at > delivery.sacked_sent_at.value_or(Instant::min())) {
      delivery.sacked_sent_at = record.sent_at;
    }
    it = std::next(set_sacked(it));
  }
}

void Scoreboard::note_delivered(const Record& part, const AckFacts& facts,
                                Delivery& delivery) const {
  delivery.highest = std::max(delivery.highest, part.end);
  if (!part.retransmitted) delivery.originals += part.size();
  const std::uint64_t segment = std::min<std::uint64_t>(part.size(), part.segment_size);
  delivery.largest_segment =
      std::max(delivery.largest_segment, static_cast<std::uint32_t>(segment));
  if (part.retransmitted) {
    // RFC 8985 6.2 step 2: such an ACK may answer the original.
    if (facts.now - part.sent_at < facts.min_rtt) return;
    if (facts.answers_before && *facts.answers_before <= part.sent_at) return;
  } else if (part.end < highest_delivered_) {
    delivery.reordered = true;
  }
  if (!delivery.newest || part.sending() > delivery.newest->sending) {
    delivery.newest = Sample{part.sending(), part.sent_at, part.retransmitted};
  }
}

// Marks the record SACKed and joins it to SACKed neighbours; returns where it is now.
Scoreboard::Tree::iterator Scoreboard::set_sacked(Tree::iterator it) {
  Node& node = it->second;
  if (node.record.fate == Fate::kLost) lost_ -= node.record.size();
  if (node.record.fate == Fate::kInFlight) unchain(node);
  node.record.fate = Fate::kSacked;
  sacked_ += node.record.size();
  if (it != records_.begin()) {
    const auto left = std::prev(it);
    if (left->second.record.fate == Fate::kSacked) {
      node.record.begin = left->second.record.begin;
      remove(left);
    }
  }
  const auto right = std::next(it);
  if (right != records_.end() && right->second.record.fate == Fate::kSacked) {
    right->second.record.begin = node.record.begin;
    remove(it);
    return right;
  }
  return it;
}

void Scoreboard::lose(Node& node) {
  unchain(node);
  node.record.fate = Fate::kLost;
  lost_ += node.record.size();
  if (losses_.empty() || losses_.back().order != node.record.order) {
    losses_.push_back({.order = node.record.order, .bytes = 0});
  }
  losses_.back().bytes += node.record.size();
  lost_hint_ = std::min(lost_hint_, node.record.begin);
}

void Scoreboard::mark_lost(const Record& record) {
  const auto it = records_.find(record.end);
  ENSURE(it != records_.end() && it->second.record.fate == Fate::kInFlight);
  lose(it->second);
}

void Scoreboard::mark_all_lost() {
  while (oldest_ != nullptr) lose(*oldest_);
}

void Scoreboard::mark_larger_lost(std::uint32_t segment_size) {
  for (Node* node = oldest_; node != nullptr;) {
    Node* const next = node->newer;
    const bool larger = node->record.segment_size > segment_size;
    if (larger && node->record.size() > segment_size) lose(*node);
    node = next;
  }
}

void Scoreboard::mark_head_lost(std::uint64_t length) {
  if (empty() || length == 0) return;
  auto it = records_.begin();
  if (it->second.record.fate != Fate::kInFlight) return;
  if (it->second.record.size() > length) it = split(it, una_ + length);
  lose(it->second);
}

void Scoreboard::unmark_lost() {
  for (auto& [end, node] : records_) {
    if (node.record.fate == Fate::kLost) node.record.fate = Fate::kInFlight;
  }
  lost_ = 0;
  restore_chain();
}

void Scoreboard::forget_sacks() {
  for (auto& [end, node] : records_) {
    if (node.record.fate != Fate::kSacked) continue;
    node.record.fate = Fate::kLost;
    node.record.retransmitted = true;  // it was delivered once: its next ACK is ambiguous
    lost_ += node.record.size();
  }
  sacked_ = 0;
  lost_hint_ = una_;
}

const Scoreboard::Record* Scoreboard::first() const {
  return empty() ? nullptr : &records_.begin()->second.record;
}

const Scoreboard::Record* Scoreboard::last() const {
  return empty() ? nullptr : &records_.rbegin()->second.record;
}

const Scoreboard::Record* Scoreboard::lowest_lost() const {
  if (lost_ == 0) return nullptr;
  auto it = records_.upper_bound(lost_hint_);
  while (it->second.record.fate != Fate::kLost) ++it;
  lost_hint_ = it->second.record.begin;
  return &it->second.record;
}

const Scoreboard::Record* Scoreboard::oldest_in_flight() const {
  return oldest_ == nullptr ? nullptr : &oldest_->record;
}

const Scoreboard::Record* Scoreboard::at(std::uint64_t position) const {
  if (position < una_ || position >= nxt_) return nullptr;
  return &records_.upper_bound(position)->second.record;
}

std::vector<Scoreboard::Record> Scoreboard::records() const {
  std::vector<Record> copy;
  for (const auto& [end, node] : records_) copy.push_back(node.record);
  return copy;
}

// --- tree and chain

Scoreboard::Tree::iterator Scoreboard::insert(Tree::iterator hint, const Record& record) {
  if (spare_.empty()) return records_.emplace_hint(hint, record.end, Node{.record = record});
  Tree::node_type node = std::move(spare_.back());
  spare_.pop_back();
  node.key() = record.end;
  node.mapped() = Node{.record = record};
  return records_.insert(hint, std::move(node));
}

void Scoreboard::remove(Tree::iterator it) {
  Tree::node_type node = records_.extract(it);
  if (records_.empty()) {
    std::vector<Tree::node_type>().swap(spare_);
  } else if (spare_.size() < kMaxSpare) {
    spare_.push_back(std::move(node));
  }
}

// Cuts a record in two at `position`, which lies inside it; returns the left part. The right part
// keeps its node.
Scoreboard::Tree::iterator Scoreboard::split(Tree::iterator it, std::uint64_t position) {
  Node& right = it->second;
  ENSURE(right.record.begin < position && position < right.record.end);
  Record part = right.record;
  part.end = position;
  right.record.begin = position;
  const auto left = insert(it, part);
  if (part.fate == Fate::kInFlight) chain_before(left->second, right);
  return left;
}

void Scoreboard::chain_newest(Node& node) {
  node.older = newest_;
  node.newer = nullptr;
  (newest_ == nullptr ? oldest_ : newest_->newer) = &node;
  newest_ = &node;
}

void Scoreboard::chain_before(Node& node, Node& place) {
  node.older = place.older;
  node.newer = &place;
  (place.older == nullptr ? oldest_ : place.older->newer) = &node;
  place.older = &node;
}

void Scoreboard::unchain(Node& node) {
  (node.older == nullptr ? oldest_ : node.older->newer) = node.newer;
  (node.newer == nullptr ? newest_ : node.newer->older) = node.older;
  node.older = node.newer = nullptr;
}

void Scoreboard::restore_chain() {
  std::vector<Node*> in_flight;
  for (auto& [end, node] : records_) {
    if (node.record.fate == Fate::kInFlight) in_flight.push_back(&node);
  }
  std::sort(in_flight.begin(), in_flight.end(),
            [](const Node* a, const Node* b) { return a->record.sending() < b->record.sending(); });
  oldest_ = newest_ = nullptr;
  for (Node* node : in_flight) chain_newest(*node);
}

void Scoreboard::validate() const {
  std::uint64_t position = una_;
  std::uint64_t sacked = 0;
  std::uint64_t lost = 0;
  std::size_t in_flight = 0;
  const Record* before = nullptr;
  for (const auto& [end, node] : records_) {
    const Record& record = node.record;
    ENSURE(record.begin == position && record.end == end && record.begin < record.end);
    ENSURE(record.order >= 1 && record.order <= last_order_);
    if (record.fate == Fate::kSacked) {
      sacked += record.size();
      ENSURE(before == nullptr || before->fate != Fate::kSacked);
    } else if (record.fate == Fate::kLost) {
      lost += record.size();
      ENSURE(record.begin >= lost_hint_);
    } else {
      ++in_flight;
    }
    position = end;
    before = &record;
  }
  ENSURE(position == nxt_ && sacked == sacked_ && lost == lost_);
  const Node* older = nullptr;
  for (const Node* node = oldest_; node != nullptr; node = node->newer) {
    ENSURE(node->older == older && node->record.fate == Fate::kInFlight);
    ENSURE(older == nullptr || older->record.sending() < node->record.sending());
    ENSURE(in_flight-- > 0);
    older = node;
  }
  ENSURE(newest_ == older && in_flight == 0);
}

}  // namespace braid::tcp
