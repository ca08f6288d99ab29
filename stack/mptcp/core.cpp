#include "stack/mptcp/core.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "stack/base/ensure.h"
#include "stack/cc/coupled_group.h"
#include "stack/cc/factory.h"

namespace braid::mptcp {

Core::Core(Layer& layer, Pipe& outgoing, Pipe& incoming, LocalPaths* paths, ConnectionConfig config,
           Agenda::Entry& owner)
    : layer_(layer),
      paths_(paths),
      config_(config),
      owner_(&owner),
      level_(outgoing, incoming, *config_.habits),
      distributor_(config.policy),
      path_manager_(config.join_retry_after),
      group_(std::make_shared<cc::CoupledGroup>()),
      tuner_(config.max_receive_buffer),
      demand_(config.join_after) {
  join(layer.agenda());
  outgoing.set_reader(this);
  incoming.set_writer(this);
}

Core::~Core() { layer_.forget_token(local_token_, *this); }

// ---- opening

Negotiation::Policy Core::negotiation_policy() const {
  using Wish = Negotiation::Wish;
  return {.wish = config_.negotiate == ConnectionConfig::Negotiate::kMptcp ? Wish::kMptcp
                                                                           : Wish::kPlainTcp,
          .require_checksum = config_.checksums == Checksums::kRequired,
          .deny_joins = config_.joins == ConnectionConfig::Joins::kDenied};
}

void Core::set_up_keys(Negotiation::Role role) {
  const MptcpKey key = layer_.new_key();
  local_token_ = token_of(key);
  layer_.remember_token(local_token_, *this);
  level_.negotiation = Negotiation(role, key, negotiation_policy());
}

tcp::ConnectionConfig Core::tcp_config(const LocalPath& path) {
  const std::uint32_t headers = path.address.is_v4() ? 40 : 60;
  const std::uint32_t options = 12 + 20;  // timestamps, DSS
  tcp::ConnectionConfig out;
  out.controller = cc::make_controller(path.algorithm.value_or(config_.algorithm),
                                       path.mtu - headers - options, group_);
  out.mtu = path.mtu;
  out.max_super_payload = path.max_super_payload;
  out.window_scale = config_.window_scale;
  if (!has_paths()) out.keepalive_interval = config_.keepalive;  // else core_watch.cpp asks
  if (has_paths()) out.expected_rtt = paths_->expected_rtt(path, now_);
  out.doubt_after = config_.doubt_after;
  out.linear_syn_timeouts = config_.habits->linear_syn_timeouts;
  out.ack_delay = config_.habits->ack_delay;
  out.peer_ack_delay = config_.habits->peer_ack_delay;
  out.timestamps = config_.timestamps;
  out.sack = config_.sack;
  out.ecn = config_.ecn;
  return out;
}

void Core::connect(const LocalPath& path, std::uint16_t local_port, const wire::Endpoint& remote,
                   Bytes syn_payload, Instant now) {
  ENSURE(subflows_.empty());
  now_ = now;
  set_up_keys(Negotiation::Role::kInitiator);
  level_.outgoing_skip = syn_payload.size();
  first_local_ = path.address;
  first_port_ = local_port;
  path_manager_.set_primary(remote, PathManager::Joinable::kYes);
  if (has_paths()) path_manager_.paths_changed(paths_->paths());  // as they are to begin with

  subflows_.push_back(
      std::make_unique<Subflow>(next_id_++, Subflow::Role::kActive, path, level_, *this,
                                std::vector<std::uint8_t>(syn_payload.begin(), syn_payload.end())));
  tcp::ConnectionConfig tcp = tcp_config(path);
  tcp.syn_payload = static_cast<std::uint32_t>(syn_payload.size());
  if (!syn_payload.empty()) {  // DESIGN 6: it contains the server's leg
    tcp.handshake_rtt = tcp::ConnectionConfig::HandshakeRtt::kIgnore;
  }
  const tcp::Tuple tuple{path.interface, {path.address, local_port}, remote};
  first().attach(layer_.tcp().connect(tuple, first(), std::move(tcp), now));
  wake();
}

void Core::accept(tcp::InterfaceId interface, const wire::Segment& syn,
                  std::uint32_t message_length, const LocalPath& path, Instant now) {
  ENSURE(subflows_.empty());
  now_ = now;
  set_up_keys(Negotiation::Role::kResponder);
  level_.negotiation.receive_syn(syn.options);
  level_.incoming_skip = message_length_ = message_length;
  first_local_ = path.address;
  first_port_ = syn.destination.port;
  path_manager_.set_primary(syn.source, PathManager::Joinable::kDenied);
  // Before the engine asks for a window: what was agreed decides its meaning.
  if (level_.negotiation.agreed()) {
    start_sender(syn.window);
  } else {
    level_.mode = status_.mode = Mode::kFallback;
  }
  subflows_.push_back(std::make_unique<Subflow>(next_id_++, Subflow::Role::kPassive, path, level_,
                                                *this, std::vector<std::uint8_t>()));
  tcp::ConnectionConfig tcp = tcp_config(path);
  tcp.answer = tcp::ConnectionConfig::Answer::kWithhold;
  tcp.early_data = tcp::ConnectionConfig::EarlyData::kYes;
  tcp.handshake_rtt = tcp::ConnectionConfig::HandshakeRtt::kUse;
  first().attach(layer_.tcp().accept(interface, syn, first(), std::move(tcp), now));
  wake();
}

void Core::answer(Instant now) {
  now_ = now;
  if (!subflows_.empty() && first().tcp() != nullptr) first().tcp()->answer(now);
  wake();
}

std::uint32_t Core::syn_repeats() const {
  const bool there = !subflows_.empty() && !first().is_join() && first().tcp() != nullptr;
  return there ? first().tcp()->syn_repeats() : 0;
}

void Core::start_sender(std::uint64_t window) {
  const std::uint64_t idsn = initial_dsn_of(level_.negotiation.local_key());
  level_.sender.emplace(*level_.outgoing, DataSequence(idsn, StreamOffset(0)));
  level_.sender->set_ack_timeout(config_.habits->data_ack_timeout);
  level_.sender->initial_window(window);
}

void Core::start_receiver() {
  const std::uint64_t idsn = initial_dsn_of(*level_.negotiation.remote_key());
  // What the SYN brought of the stream lies before the data sequence space (M36).
  level_.stream_start = level_.incoming->in_order();
  level_.receiver.emplace(*level_.incoming, DataSequence(idsn, level_.stream_start));
  level_.promised_edge = level_.receiver->data_ack() + level_.receiver->promise_window();
}

// ---- running

void Core::flush(Instant now) {
  now_ = now;
  for (std::size_t i = 0; i < subflows_.size(); ++i) subflows_[i]->check(now);
  reap();
  answer_data_fin();
  run_closing(now);
  if (ending_ == Ending::kNone && !level_.orphaned()) {
    if (level_.plain()) {
      flush_plain();
    } else if (level_.sender) {
      flush_mptcp(now);
    }
    tune_window(now);
    run_idle(now);
    report_paths(now);
  }
  arm(next_deadline());
}

void Core::flush_plain() {
  for (const auto& subflow : subflows_) {
    if (subflow->tcp() == nullptr) continue;
    subflow->tcp()->send_more();
    subflow->tcp()->window_changed();
  }
}

void Core::flush_mptcp(Instant now) {
  DataSender& sender = *level_.sender;
  if (sender.on_deadline(longest_rto(), now)) ++counters_.data_timeouts;
  // What any subflow learns of the window holds for all: one that heard last that it is closed
  // would otherwise never be used again.
  for (const auto& subflow : subflows_) {
    if (subflow->carries_data()) subflow->tcp()->raise_send_window(sender.window(), now);
  }
  watch_silence(now);
  const auto outcome = distributor_.run(sender, subflows_, now);
  if (outcome.reinjected > 0) straight_ = false;
  counters_.reinjected_bytes += outcome.reinjected;
  counters_.copied_bytes += outcome.copied;
  counters_.overtaking_bytes += outcome.overtaking;
  counters_.penalties += outcome.penalties;
  if (sender.unsent() == 0 && distributor_.has_budget(subflows_, now)) {
    level_.outgoing->reader_starved();
  }
  send_data_fin(now);
  update_window();
  run_probes(now);
  if (status_.established) {
    run_announcements(now);
    run_priorities();
    run_paths(now);
  }
  // Once more: what left above starts timers.
  if (sender.on_deadline(longest_rto(), now)) {
    ++counters_.data_timeouts;
    wake();
  }
}

void Core::send_data_fin(Instant now) {
  DataSender& sender = *level_.sender;
  if (!status_.established || !sender.fin_due(now)) return;
  Subflow* const best = best_subflow();
  if (best == nullptr) return;
  // A subflow with nothing else outstanding looks well however dead it is, so a repetition goes
  // everywhere.
  const bool everywhere = sender.fin_sent() || tells_fins_everywhere();
  for (const auto& subflow : subflows_) {
    if (subflow.get() == best || (everywhere && subflow->carries_data())) subflow->send_data_fin();
  }
  sender.fin_transmitted(now);
}

bool Core::tells_fins_everywhere() const {
  return config_.habits->data_fin_told == Habits::DataFinTold::kOnEverySubflow;
}

void Core::answer_data_fin() {
  const std::optional<SubflowId> asked = std::exchange(level_.fin_to_answer, std::nullopt);
  if (!asked) return;
  for (const auto& subflow : subflows_) {
    if (subflow->tcp() == nullptr) continue;
    const bool told = subflow->id() == *asked ||
                      (tells_fins_everywhere() && subflow->stage() == Subflow::Stage::kOpen);
    if (told) subflow->tcp()->request_ack();
  }
}

// The reader made room: the peer learns it from our next ACK, and from one of its own when it may
// be waiting for it (RFC 9293 3.8.6.2.2 at the data level).
void Core::update_window() {
  if (!level_.receiver || !status_.established) return;
  const std::uint64_t edge = level_.receiver->data_ack() + level_.receiver->window();
  const std::uint64_t grown = edge - level_.promised_edge;
  const std::uint64_t capacity = level_.incoming->capacity();
  const std::uint64_t left = level_.promised_edge - level_.receiver->data_ack();
  if (static_cast<std::int64_t>(grown) <= 0 || left > capacity / 2) return;
  if (grown < std::min<std::uint64_t>(capacity / 2, std::max<std::uint64_t>(3000, capacity / 8))) {
    return;
  }
  if (Subflow* const subflow = best_subflow()) subflow->tcp()->request_ack();
}

void Core::tune_window(Instant now) {
  Pipe& pipe = *level_.incoming;
  Duration rtt{};
  for (const auto& subflow : subflows_) {
    if (subflow->tcp() != nullptr) rtt = std::max(rtt, subflow->tcp()->path_info().srtt);
  }
  pipe.grow(tuner_.capacity_for(pipe.released().value(), pipe.capacity(), rtt, now));
}

void Core::set_policy(sched::Policy policy) {
  config_.policy = policy;
  distributor_.set_policy(policy);
  wake();
}

Duration Core::longest_rto() const {
  Duration longest{};
  for (const auto& subflow : subflows_) {
    if (subflow->carries_data() && !subflow->in_doubt()) {
      longest = std::max(longest, subflow->tcp()->path_info().rto);
    }
  }
  return longest > Duration::zero() ? longest : Duration(1s);
}

Subflow* Core::best_subflow() const {
  Subflow* best = nullptr;
  const auto rank = [](const Subflow& s) {
    return std::tuple(s.in_doubt(), s.stage() != Subflow::Stage::kOpen, s.backup(),
                      s.tcp()->path_info().srtt);
  };
  for (const auto& subflow : subflows_) {
    const bool usable =
        subflow->stage() == Subflow::Stage::kOpen || subflow->stage() == Subflow::Stage::kClosing;
    if (subflow->tcp() == nullptr || !usable) continue;
    if (best == nullptr || rank(*subflow) < rank(*best)) best = subflow.get();
  }
  return best;
}

Instant Core::next_deadline() const {
  Instant earliest = std::min(linger_deadline_, last_subflow_deadline_);
  if (ending_ != Ending::kNone || level_.orphaned()) return earliest;
  for (const auto& subflow : subflows_) earliest = std::min(earliest, subflow->next_deadline());
  for (const AddressProbe& probe : probes_) earliest = std::min(earliest, probe.deadline);
  earliest = std::min(earliest, idle_deadline_);
  if (level_.plain() || !status_.established) return earliest;
  earliest = std::min(earliest, answer_deadline_);
  for (const PendingJoin& join : pending_joins_) earliest = std::min(earliest, join.impatient);
  if (level_.sender && live_subflows() > 0) {
    earliest = std::min(earliest, level_.sender->next_deadline());
  }
  if (best_subflow() != nullptr && level_.negotiation.remote_key() && may_announce()) {
    earliest = std::min(earliest, announcer_.next_deadline());
  }
  if (joins_allowed() && joins_wanted()) {
    const auto closed = [this](const LocalPath& path) { return closed_to_joins(path); };
    earliest = std::min(earliest, path_manager_.next_deadline(paths_->paths(), closed, now_));
  }
  return earliest;
}

void Core::notify() {
  if (owner_ != nullptr) owner_->wake();
}

void Core::reap() {
  std::erase_if(subflows_,
                [](const auto& subflow) { return subflow->stage() == Subflow::Stage::kClosed; });
}

std::vector<Connection::SubflowInfo> Core::subflows() const {
  std::vector<Connection::SubflowInfo> out;
  for (const auto& subflow : subflows_) {
    if (subflow->tcp() == nullptr) continue;
    out.push_back({.tuple = subflow->tcp()->tuple(),
                   .local_address_id = subflow->local_address_id(),
                   .remote_address_id = subflow->remote_address_id(),
                   .established = subflow->stage() == Subflow::Stage::kOpen,
                   .backup = subflow->backup(),
                   .path = subflow->tcp()->path_info(),
                   .counters = subflow->tcp()->counters()});
  }
  return out;
}

}  // namespace braid::mptcp
