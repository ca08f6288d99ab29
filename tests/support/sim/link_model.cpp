#include "tests/support/sim/link_model.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "stack/base/ensure.h"

namespace braid::sim {

LinkModel::LinkModel(LinkSettings settings, Random random, Instant now)
    : random_(std::move(random)) {
  set(std::move(settings), now);
}

LinkModel::Fate LinkModel::enqueue(Packet packet, Instant now) {
  advance(now);
  const std::uint64_t bytes = counted(packet);
  ++stats_.offered_packets;
  stats_.offered_bytes += bytes;
  if (state_ != LinkState::kUp) {
    ++stats_.dropped_down;
    return Fate::kDown;
  }
  if (settings_.mtu != 0 && bytes > settings_.mtu) {
    ++stats_.dropped_too_big;
    return Fate::kTooBig;
  }
  const bool too_many =
      settings_.queue_bytes != 0 && waiting_bytes_ + bytes > settings_.queue_bytes;
  const bool too_long =
      settings_.queue_time != Duration::zero() && waiting_time(now) > settings_.queue_time;
  // An idle link takes any packet: a limit smaller than one packet would otherwise be a dead link.
  if (!waiting_.empty() && (too_many || too_long)) {
    ++stats_.dropped_queue;
    return Fate::kQueueFull;
  }
  waiting_bytes_ += bytes;
  waiting_.push_back(std::move(packet));
  if (waiting_.size() == 1) start_service(now);
  advance(now);
  return Fate::kAccepted;
}

Instant LinkModel::next_deadline() const {
  // A step matters to the outside when it can hasten a packet or when a host sees it.
  const bool step_matters = !waiting_.empty() || state_ == LinkState::kNoCarrier ||
                            (schedule_index_ < settings_.schedule.size() &&
                             settings_.schedule[schedule_index_].state == LinkState::kNoCarrier);
  Instant deadline = step_matters ? next_step() : kNever;
  if (!flying_.empty()) deadline = std::min(deadline, flying_.front().due);
  if (!waiting_.empty()) deadline = std::min(deadline, service_end_ + settings_.delay);
  return deadline;
}

std::optional<LinkModel::Delivery> LinkModel::pop_delivered(Instant now) {
  advance(now);
  if (flying_.empty() || flying_.front().due > now) return std::nullopt;
  std::pop_heap(flying_.begin(), flying_.end(), LandsLater{});
  Delivery delivery{std::move(flying_.back().packet), flying_.back().due, flying_.back().damaged};
  flying_.pop_back();
  ++stats_.delivered_packets;
  stats_.delivered_bytes += counted(delivery.packet);
  return delivery;
}

void LinkModel::advance(Instant now) {
  for (;;) {
    const Instant step = next_step();
    const Instant service = waiting_.empty() ? kNever : service_end_;
    if (std::min(step, service) > now) return;
    // At equal times the packet that has just got through is not hit by the change.
    if (service <= step) {
      end_service();
    } else {
      run_step();
    }
  }
}

void LinkModel::set(LinkSettings settings, Instant now) {
  advance(now);
  ENSURE(std::is_sorted(settings.schedule.begin(), settings.schedule.end(),
                        [](const auto& a, const auto& b) { return a.at < b.at; }));
  ENSURE(settings.schedule_period == Duration::zero() || settings.schedule.empty() ||
         settings.schedule.back().at <= settings.schedule_period);
  settings_ = std::move(settings);
  schedule_start_ = now;
  schedule_index_ = 0;
  bits_to_error_ = error_gap();
  change_rate(settings_.rate, now);
  advance(now);
}

void LinkModel::set_state(LinkState state, Instant now) {
  advance(now);
  change_state(state);
}

std::uint64_t LinkModel::counted(const Packet& packet) const {
  return packet.size() > settings_.frame_header ? packet.size() - settings_.frame_header : 0;
}

Duration LinkModel::waiting_time(Instant now) const {
  if (waiting_.empty()) return Duration::zero();
  const Duration in_service = service_end_ - now;
  if (rate_.is_zero()) return in_service;
  return in_service + rate_.time_for(waiting_bytes_ - counted(waiting_.front()));
}

void LinkModel::start_service(Instant now) {
  service_end_ = now;
  if (!rate_.is_zero()) service_end_ += rate_.time_for(counted(waiting_.front()));
}

void LinkModel::end_service() {
  const Instant end = service_end_;
  Packet packet = std::move(waiting_.front());
  waiting_.pop_front();
  waiting_bytes_ -= counted(packet);
  if (!waiting_.empty()) start_service(end);
  take_off(std::move(packet), end);
}

void LinkModel::take_off(Packet packet, Instant from) {
  if (lost()) {
    ++stats_.dropped_loss;
    return;
  }
  const bool damaged = damage(packet);
  Instant due = from + settings_.delay;
  if (settings_.jitter > Duration::zero()) {
    due += Duration(
        static_cast<std::int64_t>(random_.unit() * static_cast<double>(settings_.jitter.count())));
  }
  if (settings_.reorder > 0 && random_.chance(settings_.reorder)) {
    ++stats_.reordered;
    fly(std::move(packet), due + settings_.reorder_delay, damaged);
    return;
  }
  if (settings_.jitter_order == JitterOrder::kKept) {
    due = std::max(due, latest_due_);
    latest_due_ = due;
  }
  if (settings_.duplicate > 0 && random_.chance(settings_.duplicate)) {
    ++stats_.duplicated;
    fly(packet, due, damaged);
  }
  fly(std::move(packet), due, damaged);
}

void LinkModel::fly(Packet packet, Instant due, bool damaged) {
  flying_.push_back({due, next_order_++, std::move(packet), damaged});
  std::push_heap(flying_.begin(), flying_.end(), LandsLater{});
}

bool LinkModel::damage(Packet& packet) {
  if (settings_.bit_error_rate <= 0) return false;
  const std::uint64_t bits = counted(packet) * 8;
  if (bits_to_error_ >= bits) {
    bits_to_error_ -= bits;
    return false;
  }
  const std::uint64_t at = bits_to_error_;
  packet[settings_.frame_header + at / 8] ^= static_cast<std::uint8_t>(0x80U >> (at % 8));
  ++stats_.damaged;
  bits_to_error_ = error_gap();
  return true;
}

bool LinkModel::lost() {
  double probability = settings_.loss;
  if (settings_.burst.enter > 0) {
    if (random_.chance(in_burst_ ? settings_.burst.leave : settings_.burst.enter)) {
      in_burst_ = !in_burst_;
    }
    if (in_burst_) probability = settings_.burst.loss_when_bad;
  }
  return probability > 0 && random_.chance(probability);
}

void LinkModel::change_rate(Rate rate, Instant now) {
  if (!waiting_.empty()) {
    // What is left of the packet in service goes at the new rate.
    const Duration left = std::max(service_end_ - now, Duration::zero());
    if (rate.is_zero()) {
      service_end_ = now;
    } else if (!rate_.is_zero()) {
      const double scale = static_cast<double>(rate_.bytes_per_second()) /
                           static_cast<double>(rate.bytes_per_second());
      service_end_ = now + Duration(static_cast<std::int64_t>(
                               std::llround(static_cast<double>(left.count()) * scale)));
    }
  }
  rate_ = rate;
}

void LinkModel::change_state(LinkState state) {
  state_ = state;
  if (state == LinkState::kUp) return;
  stats_.dropped_down += waiting_.size() + flying_.size();
  waiting_.clear();
  waiting_bytes_ = 0;
  service_end_ = kNever;
  flying_.clear();
}

Instant LinkModel::next_step() const {
  if (schedule_index_ == settings_.schedule.size()) return kNever;
  return schedule_start_ + settings_.schedule[schedule_index_].at;
}

void LinkModel::run_step() {
  const Instant at = next_step();
  const ScheduleStep& step = settings_.schedule[schedule_index_];
  if (step.rate) change_rate(*step.rate, at);
  if (step.state) change_state(*step.state);
  if (++schedule_index_ == settings_.schedule.size() &&
      settings_.schedule_period > Duration::zero()) {
    schedule_start_ += settings_.schedule_period;
    schedule_index_ = 0;
  }
}

std::uint64_t LinkModel::error_gap() {
  if (settings_.bit_error_rate <= 0) return 0;
  // A geometric number of good bits before the next bad one.
  const double gap =
      std::log1p(-random_.unit()) / std::log1p(-std::min(settings_.bit_error_rate, 0.5));
  constexpr double kFar = 1e18;
  return static_cast<std::uint64_t>(std::min(gap, kFar));
}

}  // namespace braid::sim
