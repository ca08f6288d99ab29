#include "stack/tcp/pipe_stream.h"

#include <algorithm>

namespace braid::tcp {

PipeStream::PipeStream(Pipe& incoming, Pipe& outgoing, Agenda::Entry& owner)
    : incoming_(incoming), outgoing_(outgoing), owner_(owner) {}

void PipeStream::attach(Connection& connection) {
  connection_ = &connection;
  incoming_.set_writer(&connection);
  outgoing_.set_reader(&connection);
  connection.wake();
}

void PipeStream::set_gate(Gate gate) {
  gate_ = gate;
  if (connection_ != nullptr) connection_->wake();
}

// ---- receiving

Verdict PipeStream::segment_arrived(const wire::Segment&, std::uint64_t, Instant) {
  return Verdict::kContinue;
}

Interval PipeStream::place(std::uint64_t position, const Slices& bytes, Instant) {
  const Interval kept = incoming_.write_at(incoming_start_ + position, bytes);
  return {kept.begin - incoming_start_.value(), kept.end - incoming_start_.value()};
}

void PipeStream::received_up_to(std::uint64_t, Instant now) {
  if (connection_ == nullptr) return;
  incoming_.grow(tuner_.capacity_for(incoming_.released().value(), incoming_.capacity(),
                                     connection_->path_info().srtt, now));
}

void PipeStream::peer_finished(std::uint64_t position, Instant) {
  incoming_.finish_at(incoming_start_ + position);
}

std::uint64_t PipeStream::receive_window() const { return incoming_.room(); }

// ---- sending

std::uint64_t PipeStream::send_end() const {
  if (gate_ == Gate::kClosed || outgoing_.in_order() < outgoing_start_) return 0;
  return outgoing_.in_order() - outgoing_start_;
}

bool PipeStream::send_finished() const {
  return gate_ == Gate::kOpen && outgoing_.complete() && outgoing_.in_order() >= outgoing_start_;
}

Slices PipeStream::peek(std::uint64_t position, std::uint32_t max_length) const {
  return outgoing_.peek(outgoing_start_ + position, max_length);
}

void PipeStream::add_options(const Outgoing&, wire::TcpOptions&) {}

void PipeStream::acked(std::uint64_t position, Instant now) {
  // Everything is on its way and the network would take more.
  if (connection_ != nullptr && connection_->send_budget(now) > 0) outgoing_.reader_starved();
  outgoing_.release(outgoing_start_ + std::min(position, send_end()));
}

// ---- life

Verdict PipeStream::established(const wire::Segment&, std::uint32_t, Instant) {
  established_ = true;
  owner_.wake();
  return Verdict::kContinue;
}

void PipeStream::retransmission_timeout(std::uint32_t, Instant) {}

void PipeStream::closed(CloseReason reason, Instant) {
  close_reason_ = reason;
  if (connection_ != nullptr && connection_->last_error()) {
    icmp_code_ = connection_->last_error()->code;
  }
  connection_ = nullptr;
  incoming_.set_writer(nullptr);
  outgoing_.set_reader(nullptr);
  owner_.wake();
}

}  // namespace braid::tcp
