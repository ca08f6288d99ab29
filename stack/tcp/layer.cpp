#include "stack/tcp/layer.h"

#include <algorithm>
#include <utility>

#include "stack/base/ensure.h"

namespace braid::tcp {
namespace {

// RFC 9293 3.10.7.1: the RST that answers this segment when nobody is there.
wire::Segment make_reset(const wire::Segment& segment) {
  wire::Segment reset;
  reset.source = segment.destination;
  reset.destination = segment.source;
  reset.flags.rst = true;
  if (segment.flags.ack) {
    reset.seq = segment.ack;
  } else {
    reset.flags.ack = true;
    reset.ack = segment.seq_end();
  }
  return reset;
}

bool is_new_syn(const wire::Segment& segment) {
  return segment.flags.syn && !segment.flags.ack && !segment.flags.rst && !segment.flags.fin;
}

}  // namespace

Layer::Layer(Random& random)
    : secret_(random), connections_(64, ConnectionHash{TupleHash{&secret_}}), time_wait_(secret_) {}

Layer::~Layer() = default;

void Layer::set_stray(InterfaceId interface, Stray answer) { stray_[interface] = answer; }

// ---- input

Layer::Received Layer::receive(InterfaceId interface, const wire::Segment& segment, Instant now) {
  ++counters_.segments_in;
  const Tuple tuple = tuple_of(interface, segment);
  if (Connection* connection = find(tuple)) {
    connection->receive(segment, now);
    return Received::kTaken;
  }
  if (time_wait_.find(tuple) != nullptr) {
    switch (time_wait_.receive(tuple, segment, now)) {
      case TimeWait::Answer::kNone: return Received::kTaken;
      case TimeWait::Answer::kAck:
        queue_answer(interface, time_wait_.make_ack(tuple, now));
        return Received::kTaken;
      case TimeWait::Answer::kNewConnection: return Received::kNewSyn;
    }
  }
  if (is_new_syn(segment)) return Received::kNewSyn;
  receive_stray(interface, segment, now);
  return Received::kStray;
}

void Layer::receive_stray(InterfaceId interface, const wire::Segment& segment, Instant now) {
  ++counters_.strays;
  if (segment.flags.rst) return;
  const auto found = stray_.find(interface);
  if (found != stray_.end() && found->second == Stray::kIgnore) return;
  if (!reset_limit_.allow(now)) {
    ++counters_.resets_limited;
    return;
  }
  ++counters_.resets_out;
  queue_answer(interface, make_reset(segment));
}

void Layer::receive_error(InterfaceId interface, const wire::IcmpError& error, Instant now) {
  Connection* connection = find({interface, error.source, error.destination});
  if (connection != nullptr) connection->receive_error(error, now);
}

void Layer::queue_answer(InterfaceId interface, const wire::Segment& segment) {
  // Answers to strangers must not become a queue of their own behind a blocked door.
  constexpr std::size_t kMostAnswers = 1024;
  if (pending_.size() < kMostAnswers) pending_.push_back({interface, segment});
}

// ---- connections

Connection& Layer::connect(const Tuple& tuple, StreamUser& user, ConnectionConfig config,
                           Instant now) {
  Connection& connection = add(tuple, user, std::move(config), now);
  connection.open_active(now);
  return connection;
}

Connection& Layer::accept(InterfaceId interface, const wire::Segment& syn, StreamUser& user,
                          ConnectionConfig config, Instant now) {
  Connection& connection = add(tuple_of(interface, syn), user, std::move(config), now);
  connection.open_passive(syn, now);
  return connection;
}

Connection& Layer::add(const Tuple& tuple, StreamUser& user, ConnectionConfig config, Instant now) {
  ENSURE(find(tuple) == nullptr);
  SeqNum isn = secret_.isn(tuple, now);
  if (const Connection::Remains* old = time_wait_.find(tuple)) {
    // RFC 9293 3.6.1: beyond everything the old incarnation used.
    if (isn <= old->snd_nxt) isn = old->snd_nxt + 1;
    time_wait_.erase(tuple);
  }
  config.timestamp_offset = secret_.timestamp_offset(tuple);
  config.path = paths_.of(tuple.interface, tuple.remote.address, now);
  if (config.path_mtu == 0) config.path_mtu = config.path->mtu(now);
  auto made = std::make_unique<Connection>(tuple, user, std::move(config), isn);
  Connection& connection = *made;
  connections_.insert(std::move(made));
  connection.join(agenda_);
  return connection;
}

void Layer::refuse(InterfaceId interface, const wire::Segment& segment,
                   const wire::TcpOptions& options) {
  if (segment.flags.rst) return;
  wire::Segment reset = make_reset(segment);
  reset.options = options;
  ++counters_.resets_out;
  queue_answer(interface, reset);
}

Connection* Layer::find(const Tuple& tuple) {
  const auto found = connections_.find(tuple);
  if (found == connections_.end()) return nullptr;
  if (!(*found)->finished()) return found->get();
  // Over since the last flush, and its tuple is wanted again already.
  remove(found);
  return nullptr;
}

// Takes a finished connection out of the table; it lives on in the agenda until the next flush.
void Layer::remove(Table::iterator place) {
  Connection& connection = **place;
  if (connection.state() == State::kTimeWait) {
    time_wait_.add(connection.tuple(), connection.remains(), connection.last_received());
  }
  connection.leave();
  removed_.push_back(std::move(connections_.extract(place).value()));
}

// ---- output

void Layer::flush(Instant now, Exit& exit) {
  time_wait_.expire(now);
  batch_.clear();
  while (Agenda::Entry* entry = agenda_.next(now)) {
    batch_.push_back(static_cast<Connection*>(entry));
  }
  for (Connection* connection : batch_) {
    const bool listed = connection->waits_for_door();
    connection->flush(now, exit);
    if (!listed && connection->waits_for_door()) {
      waiting_for_door_[connection->tuple().interface].push_back(connection->tuple());
    }
  }
  for (Connection* connection : batch_) {
    if (!connection->finished()) continue;
    const auto found = connections_.find(connection->tuple());
    if (found != connections_.end() && found->get() == connection) remove(found);
  }
  send_pending(exit);
  removed_.clear();
}

void Layer::send_pending(Exit& exit) {
  // Those whose door is closed are dropped: whoever provoked them will ask again.
  while (!pending_.empty()) {
    const Pending& next = pending_.front();
    if (exit.ready(next.interface)) exit.send(next.interface, next.segment);
    pending_.pop_front();
  }
}

Instant Layer::next_deadline() const {
  if (!pending_.empty()) return Instant::min();
  return std::min(agenda_.next_deadline(), time_wait_.next_deadline());
}

void Layer::door_opened(InterfaceId interface) {
  const auto found = waiting_for_door_.find(interface);
  if (found == waiting_for_door_.end()) return;
  const std::vector<Tuple> waiting = std::exchange(found->second, {});
  for (const Tuple& tuple : waiting) {
    if (Connection* connection = find(tuple)) connection->door_opened();
  }
}

void Layer::validate() const {
  agenda_.validate();
  for (const auto& connection : connections_) connection->validate();
}

}  // namespace braid::tcp
