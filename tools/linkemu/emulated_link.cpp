#include "tools/linkemu/emulated_link.h"

#include <fmt/format.h>
#include <linux/if_ether.h>

#include <algorithm>

namespace braid::linkemu {
namespace {

sim::LinkSettings framed(sim::LinkSettings settings) {
  settings.frame_header = ETH_HLEN;
  return settings;
}

bool is_ip(const sim::Packet& frame) {
  if (frame.size() < ETH_HLEN) return false;
  const std::uint16_t type = load_be16(&frame[12]);
  return type == ETH_P_IP || type == ETH_P_IPV6;
}

const char* name_of(sim::LinkState state) {
  switch (state) {
    case sim::LinkState::kUp: return "up";
    case sim::LinkState::kBlackHole: return "down";
    case sim::LinkState::kNoCarrier: return "nocarrier";
  }
  return "?";
}

}  // namespace

EmulatedLink::EmulatedLink(std::string name, const std::string& a, const std::string& b,
                           const DuplexSettings& settings, Random& random)
    : name_(std::move(name)),
      a_(a),
      b_(b),
      up_{sim::LinkModel(framed(settings.up), Random(random.u64()), clock_now()), a_, b_,
          clock_now()},
      down_{sim::LinkModel(framed(settings.down), Random(random.u64()), clock_now()), b_, a_,
            clock_now()} {}

void EmulatedLink::take_in() {
  take_in(up_);
  take_in(down_);
}

void EmulatedLink::take_in(Direction& direction) {
  direction.from.drain([&](Bytes frame, Instant arrival) {
    direction.model.enqueue(sim::Packet(frame.begin(), frame.end()),
                            direction.at_or_after(arrival));
  });
}

void EmulatedLink::give_out(Instant now) {
  give_out(up_, now);
  give_out(down_, now);
  follow_carrier();
}

void EmulatedLink::give_out(Direction& direction, Instant now) {
  now = direction.at_or_after(now);
  bool any = false;
  while (auto delivery = direction.model.pop_delivered(now)) {
    if (delivery->damaged && !is_ip(delivery->packet)) {
      ++direction.bad_frames;
      continue;
    }
    direction.to.add(std::move(delivery->packet));
    any = true;
  }
  if (any) direction.to.send();
}

Instant EmulatedLink::next_deadline() const {
  return std::min(up_.model.next_deadline(), down_.model.next_deadline());
}

void EmulatedLink::set(const DuplexSettings& settings) {
  up_.model.set(framed(settings.up), up_.at_or_after(clock_now()));
  down_.model.set(framed(settings.down), down_.at_or_after(clock_now()));
}

void EmulatedLink::set_state(sim::LinkState state) {
  up_.model.set_state(state, up_.at_or_after(clock_now()));
  down_.model.set_state(state, down_.at_or_after(clock_now()));
  follow_carrier();
}

void EmulatedLink::follow_carrier() {
  const bool carrier = up_.model.state() != sim::LinkState::kNoCarrier &&
                       down_.model.state() != sim::LinkState::kNoCarrier;
  if (carrier == carrier_) return;
  carrier_ = carrier;
  for (FrameSocket* socket : sockets_) socket->set_interface_up(carrier);
}

std::string EmulatedLink::stats() { return stats("up", up_) + stats("down", down_); }

std::string EmulatedLink::stats(const char* label, Direction& direction) {
  direction.model.advance(direction.at_or_after(clock_now()));
  const sim::LinkStats& s = direction.model.stats();
  return fmt::format(
      "{} {} time_us={} state={} rate_bit={} offered_packets={} offered_bytes={} "
      "delivered_packets={} delivered_bytes={} dropped_queue={} dropped_loss={} dropped_down={} "
      "dropped_too_big={} damaged={} duplicated={} reordered={} waiting_bytes={} bad_frames={} "
      "lost_in_ring={} lost_on_send={} unusable={}\n",
      name_, label, to_us(clock_now().time_since_epoch()), name_of(direction.model.state()),
      direction.model.rate().bits_per_second(), s.offered_packets, s.offered_bytes,
      s.delivered_packets, s.delivered_bytes, s.dropped_queue, s.dropped_loss, s.dropped_down,
      s.dropped_too_big, s.damaged, s.duplicated, s.reordered, direction.model.waiting_bytes(),
      direction.bad_frames, direction.from.lost_in_ring(), direction.to.lost_on_send(),
      direction.from.unusable());
}

}  // namespace braid::linkemu
