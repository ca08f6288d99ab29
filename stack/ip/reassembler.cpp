#include "stack/ip/reassembler.h"

#include <algorithm>
#include <utility>

#include "stack/base/ensure.h"

namespace braid::ip {
namespace {

// Nothing is missing from zero to the end of what is there.
bool contiguous(const std::map<std::uint32_t, std::vector<std::uint8_t>>& pieces) {
  std::size_t expected = 0;
  for (const auto& [offset, bytes] : pieces) {
    if (offset != expected) return false;
    expected += bytes.size();
  }
  return true;
}

bool overlaps(const std::map<std::uint32_t, std::vector<std::uint8_t>>& pieces, std::uint32_t begin,
              std::size_t length) {
  const auto after = pieces.lower_bound(begin);
  if (after != pieces.end() && after->first < begin + length) return true;
  if (after == pieces.begin()) return false;
  const auto before = std::prev(after);
  return before->first + before->second.size() > begin;
}

}  // namespace

Reassembler::Datagrams::iterator Reassembler::find_or_start(const Header& header, Instant now) {
  // The protocol is no part of the key: lwIP leaves it out, and RFC 8200 does.
  const auto found = std::find_if(datagrams_.begin(), datagrams_.end(), [&](const Waiting& w) {
    return w.header.fragment->identification == header.fragment->identification &&
           w.header.source == header.source && w.header.destination == header.destination;
  });
  if (found != datagrams_.end()) return found;
  const Duration lifetime = header.source.is_v4() ? kLifetimeV4 : kLifetimeV6;
  datagrams_.push_back({.header = header, .deadline = now + lifetime, .pieces = {}, .end = {}});
  datagrams_.back().header.transport = {};
  return std::prev(datagrams_.end());
}

void Reassembler::drop(Datagrams::iterator datagram) {
  pieces_ -= datagram->pieces.size();
  datagrams_.erase(datagram);
}

void Reassembler::make_room(Datagrams::const_iterator keep) {
  while (datagrams_.size() > kMaxDatagrams || pieces_ >= kMaxPieces) {
    auto oldest = datagrams_.begin();
    if (oldest == keep) ++oldest;
    if (oldest == datagrams_.end()) return;
    ++evicted_;
    drop(oldest);
  }
}

std::vector<std::uint8_t> Reassembler::join(const Waiting& datagram) {
  std::vector<std::uint8_t> bytes;
  for (const auto& [offset, piece] : datagram.pieces) {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
  }
  bytes.resize(*datagram.end);
  Header header = datagram.header;
  header.fragment.reset();
  return build_packet(header, bytes);
}

Reassembler::Result Reassembler::add(const Header& header, Instant now) {
  Result result = insert(header, now);
#ifdef BRAID_VALIDATE
  validate();
#endif
  return result;
}

Reassembler::Result Reassembler::insert(const Header& header, Instant now) {
  ENSURE(header.fragment.has_value());
  const FragmentInfo& piece = *header.fragment;
  const std::size_t length = header.transport.size();
  const auto datagram = find_or_start(header, now);
  auto& pieces = datagram->pieces;
  if (overlaps(pieces, piece.offset, length)) {
    const auto same = pieces.find(piece.offset);
    if (same != pieces.end() && same->second.size() == length) return Refused::kRepeated;
    if (!header.source.is_v4()) drop(datagram);
    return Refused::kOverlap;
  }
  make_room(datagram);
  if (pieces_ >= kMaxPieces) return Refused::kNoRoom;

  if (piece.offset == 0) {
    datagram->header = header;
    datagram->header.transport = {};
  }
  pieces.emplace(piece.offset,
                 std::vector<std::uint8_t>(header.transport.begin(), header.transport.end()));
  ++pieces_;
  if (!piece.more) datagram->end = piece.offset + length;
  if (!datagram->end || !contiguous(pieces)) return Kept{};
  Whole whole{.packet = join(*datagram)};
  drop(datagram);
  return whole;
}

std::size_t Reassembler::expire(Instant now) {
  std::size_t expired = 0;
  for (auto it = datagrams_.begin(); it != datagrams_.end();) {
    const auto current = it++;
    if (current->deadline > now) continue;
    drop(current);
    ++expired;
  }
  return expired;
}

Instant Reassembler::next_deadline() const {
  Instant earliest = kNever;
  for (const Waiting& w : datagrams_) earliest = std::min(earliest, w.deadline);
  return earliest;
}

void Reassembler::validate() const {
  std::size_t pieces = 0;
  for (const Waiting& w : datagrams_) {
    ENSURE(!w.pieces.empty());
    ENSURE(!(w.end && contiguous(w.pieces)));
    std::size_t end = 0;
    for (const auto& [offset, bytes] : w.pieces) {
      ENSURE(offset >= end);
      end = offset + bytes.size();
    }
    pieces += w.pieces.size();
  }
  ENSURE(pieces == pieces_);
  ENSURE(pieces <= kMaxPieces && datagrams_.size() <= kMaxDatagrams);
}

}  // namespace braid::ip
