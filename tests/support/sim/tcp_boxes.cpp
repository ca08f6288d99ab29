#include "tests/support/sim/tcp_boxes.h"

#include <algorithm>
#include <vector>

namespace braid::sim {
namespace {

constexpr std::uint8_t kMssKind = 2;
constexpr std::uint8_t kSackKind = 5;

std::optional<PacketView> intact_tcp(Packet& packet) {
  auto view = PacketView::of(packet);
  if (!view || !view->is_intact_tcp()) return std::nullopt;
  return view;
}

}  // namespace

bool OptionStripper::concerns(const PacketView& view) {
  const bool syn = (view.tcp_flags() & kSyn) != 0;
  const bool ack = (view.tcp_flags() & kAck) != 0;
  switch (settings_.from) {
    case From::kSyns: return syn && !ack;
    case From::kSynAcks: return syn && ack;
    case From::kHandshake: return syn;
    case From::kAll: return true;
    case From::kLater: return !syn && ++seen_ > settings_.spared;
  }
  return false;
}

void OptionStripper::pass(Packet packet, Toward toward, Instant /*now*/, Output& out) {
  auto view = intact_tcp(packet);
  std::vector<std::uint8_t> kept;
  bool found = false;
  if (view) {
    for_each_option(*view, [&](std::uint8_t kind, MutableBytes option) {
      if (kind == settings_.kind)
        found = true;
      else
        kept.insert(kept.end(), option.begin(), option.end());
    });
  }
  if (!found || !concerns(*view)) {
    out.emit(toward, std::move(packet));
    return;
  }
  ++stripped_;
  if (settings_.manner == Manner::kPacketDropped) return;
  if (settings_.manner == Manner::kRemoved) {
    kept.resize((kept.size() + 3) / 4 * 4, 1);
    out.emit(toward, with_tcp_options(packet, kept));
    return;
  }
  for_each_option(*view, [&](std::uint8_t kind, MutableBytes option) {
    if (kind == settings_.kind) std::fill(option.begin(), option.end(), std::uint8_t{1});
  });
  view->finish();
  out.emit(toward, std::move(packet));
}

void SynPayloadBox::pass(Packet packet, Toward toward, Instant /*now*/, Output& out) {
  const auto view = intact_tcp(packet);
  if (!view || (view->tcp_flags() & kSyn) == 0 || view->tcp_payload().empty()) {
    out.emit(toward, std::move(packet));
    return;
  }
  if (manner_ == Manner::kDropSyn) return;
  const std::size_t keep =
      manner_ == Manner::kStrip ? 0 : std::min(keep_, view->tcp_payload().size());
  out.emit(toward, with_tcp_payload(packet, view->tcp_payload().first(keep)));
}

void MssClamper::pass(Packet packet, Toward toward, Instant /*now*/, Output& out) {
  auto view = intact_tcp(packet);
  if (view && (view->tcp_flags() & kSyn) != 0) {
    for_each_option(*view, [&](std::uint8_t kind, MutableBytes option) {
      if (kind != kMssKind || option.size() != 4) return;
      store_be16(&option[2], std::min(load_be16(&option[2]), most_));
    });
    view->finish();
  }
  out.emit(toward, std::move(packet));
}

void RstInjector::pass(Packet packet, Toward toward, Instant now, Output& out) {
  const auto view = intact_tcp(packet);
  const bool counts = view && !view->tcp_payload().empty() && (view->tcp_flags() & kSyn) == 0;
  if (done_at_ || !counts || left_-- > 1) {
    out.emit(toward, std::move(packet));
    return;
  }
  done_at_ = now;
  const std::uint32_t off = aim_ == Aim::kExact ? 0 : aim_ == Aim::kInWindow ? 100 : 0x40000000;
  // Onwards in the sender's name, after this packet; back in the receiver's, at what it
  // acknowledged.
  Packet onwards = with_tcp_options(with_tcp_payload(packet, {}), {});
  auto there = PacketView::of(onwards);
  const auto length = static_cast<std::uint32_t>(view->tcp_payload().size());
  store_be32(there->transport() + 4, view->seq() + length + off);
  there->transport()[13] = kRst | kAck;
  there->finish();

  Packet back = onwards;
  auto here = PacketView::of(back);
  here->set_source(view->destination());
  here->set_destination(view->source());
  here->set_source_port(view->destination_port());
  here->set_destination_port(view->source_port());
  store_be32(here->transport() + 4, view->ack() + off);
  store_be32(here->transport() + 8, view->seq() + length);
  here->finish();

  out.emit(toward, std::move(packet));
  out.emit(toward, std::move(onwards));
  out.emit(opposite(toward), std::move(back));
}

std::uint32_t SequenceShifter::shift_of(const Key& key) {
  const auto [entry, added] = shifts_.try_emplace(key, 0);
  if (added) entry->second = random_.u32();
  return entry->second;
}

void SequenceShifter::pass(Packet packet, Toward toward, Instant /*now*/, Output& out) {
  auto view = intact_tcp(packet);
  if (view) {
    const Key key{{view->source(), view->source_port()},
                  {view->destination(), view->destination_port()}};
    const std::uint32_t back = shift_of({key.destination, key.source});
    store_be32(view->transport() + 4, view->seq() + shift_of(key));
    if ((view->tcp_flags() & kAck) != 0) store_be32(view->transport() + 8, view->ack() - back);
    for_each_option(*view, [&](std::uint8_t kind, MutableBytes option) {
      if (kind != kSackKind) return;
      for (std::size_t at = 2; at + 4 <= option.size(); at += 4) {
        store_be32(&option[at], load_be32(&option[at]) - back);
      }
    });
    view->finish();
  }
  out.emit(toward, std::move(packet));
}

void PayloadChanger::pass(Packet packet, Toward toward, Instant /*now*/, Output& out) {
  auto view = intact_tcp(packet);
  if (view && toward == toward_ && !view->tcp_payload().empty() &&
      (view->tcp_flags() & kSyn) == 0) {
    if (spared_ > 0) {
      --spared_;
    } else if (changed_ < count_) {
      ++changed_;
      view->tcp_payload()[0] ^= 0x55;
      view->finish();
    }
  }
  out.emit(toward, std::move(packet));
}

}  // namespace braid::sim
