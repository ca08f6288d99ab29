// Which subflows a connection has: joins, addresses, priorities (RFC 8684 3.2, 3.3.8, 3.4).
#include <algorithm>

#include "stack/base/ensure.h"
#include "stack/mptcp/core.h"

namespace braid::mptcp {
namespace {

// The part of a round trip by which our key is to be there before a join.
constexpr std::int64_t kKeyLead = 4;

// What the peer should think of a path: for its own sending a link may be in reserve that is not
// for ours.
bool for_peer_backup(const LocalPath& path) {
  return path.backup || (path.link != nullptr && path.link->peer_in_reserve);
}

bool same_path(const LocalPath& a, const LocalPath& b) {
  return a.interface == b.interface && a.address == b.address;
}

}  // namespace

void Core::paths_changed(Instant now) {
  now_ = now;
  if (!has_paths()) return;
  // Where a subflow has outlived an outage (it was the last), the peer's retransmission timer may
  // have grown to a minute: a fresh one beside it goes on at once.
  for (const LocalPath& path : path_manager_.paths_changed(paths_->paths())) {
    for (const auto& subflow : subflows_) {
      if (same_path(subflow->path(), path)) subflow->doubt(kTimeoutsToReplace);
    }
  }
  paths_dirty_ = true;
  wake();
}

void Core::announce(std::uint8_t address_id, const wire::Endpoint& address, Instant now) {
  now_ = now;
  // M94: the first subflow's port need not be said, and with an IPv6 address there is hardly room.
  const std::uint16_t port = address.port == first_port_ ? 0 : address.port;
  announcer_.announce(address_id, address.address, port);
  wake();
}

void Core::withdraw(std::uint8_t address_id, Instant now) {
  now_ = now;
  announcer_.withdraw(address_id);
  Subflow* const subflow = best_subflow();
  if (subflow == nullptr || level_.plain() || !status_.established) return;
  subflow->send_signal(wire::RemoveAddr{.count = 1, .address_ids = {address_id}});
  wake();
}

void Core::set_priority(tcp::InterfaceId interface, Connection::Priority priority, Instant now) {
  now_ = now;
  const bool backup = priority == Connection::Priority::kBackup;
  for (const auto& subflow : subflows_) {
    if (subflow->path().interface != interface || subflow->tcp() == nullptr) continue;
    subflow->set_local_backup(backup);
    subflow->set_told_backup(backup);
    if (!level_.plain() && subflow->stage() == Subflow::Stage::kOpen) {
      subflow->send_signal(wire::MpPrio{.backup = backup});
    }
  }
  wake();
}

// A link that goes into reserve, or comes back, is told on every subflow over it (RFC 8684 3.3.8).
void Core::run_priorities() {
  for (const auto& subflow : subflows_) {
    const LocalPath& path = subflow->path();
    if (path.link == nullptr || subflow->tcp() == nullptr) continue;
    if (subflow->stage() != Subflow::Stage::kOpen) continue;
    const bool backup = for_peer_backup(path);
    if (backup == subflow->told_backup()) continue;
    subflow->set_told_backup(backup);
    subflow->send_signal(wire::MpPrio{.backup = backup});
  }
}

// An initiator's ACKs offer its key until the peer has shown that it holds it: there is no room
// beside.
bool Core::may_announce() const {
  return level_.proof == DataLevel::Proof::kSeen || subflows_.empty() || first().is_join() ||
         first().role() == Subflow::Role::kPassive;
}

void Core::run_announcements(Instant now) {
  Subflow* const subflow = best_subflow();
  const auto remote_key = level_.negotiation.remote_key();
  if (subflow == nullptr || !remote_key || !may_announce()) return;
  const Duration rto = subflow->tcp()->path_info().rto;
  for (const wire::AddAddr& option :
       announcer_.due(level_.negotiation.local_key(), *remote_key, rto, now)) {
    subflow->send_signal(option);
  }
  // What did not fit on one ACK goes on the next, once anything but MP_CAPABLE may be said.
  for (const auto& other : subflows_) {
    if (other->has_signals() && other->tcp() != nullptr &&
        other->stage() == Subflow::Stage::kOpen) {
      other->tcp()->request_ack();
    }
  }
}

void Core::run_paths(Instant now) {
  if (paths_dirty_) {
    paths_dirty_ = false;
    drop_dead_paths(now);
  }
  run_pending_joins(now);
  note_demand(now);
  if (!has_paths() || !joins_wanted()) return;
  const auto closed = [this](const LocalPath& path) { return closed_to_joins(path); };
  while (joins_allowed()) {
    const auto wanted = path_manager_.next(paths_->paths(), closed, now);
    if (!wanted) break;
    path_manager_.attempted(wanted->path, now);
    start_join(*wanted, now);
  }
}

// M24: only when the peer has been heard at the data level.
bool Core::joins_allowed() const {
  const bool heard =
      level_.proof == DataLevel::Proof::kSeen || level_.heard == DataLevel::Heard::kMapping;
  return has_paths() && !level_.orphaned() && ending_ == Ending::kNone && !status_.closed &&
         level_.mode == Mode::kMptcp && heard && !mp_fail_sent_ &&
         live_subflows() < config_.max_subflows && !data_level_done();
}

bool Core::closed_to_joins(const LocalPath& path) const {
  return occupied(path) || !key_arrives_before(path);
}

// The peer answers a join with an HMAC of both keys, so ours must be there first. It went with the
// third ACK: a SYN over a path that is longer comes behind it.
bool Core::key_arrives_before(const LocalPath& path) const {
  if (level_.proof == DataLevel::Proof::kSeen) return true;
  const tcp::Connection* const with_key = subflows_.empty() ? nullptr : first().tcp();
  const Duration taken = with_key == nullptr ? Duration() : with_key->path_info().srtt;
  return taken > Duration() && paths_->expected_rtt(path, now_) > taken + taken / kKeyLead;
}

// After the distribution: what waits now found no room on the subflows there are.
void Core::note_demand(Instant now) {
  if (!has_paths() || !level_.sender) return;
  const bool waiting = level_.sender->unsent() > 0 && level_.sender->window_left() > 0 &&
                       !distributor_.has_budget(subflows_, now);
  demand_.note(level_.sender->snd_nxt().value() + level_.incoming->in_order().value(),
               waiting ? Demand::Backlog::kWaiting : Demand::Backlog::kNone, now);
  if (!demand_.is_there()) return;
  for (const LocalPath& path : paths_->paths()) {
    const bool open = std::any_of(subflows_.begin(), subflows_.end(), [&](const auto& subflow) {
      return subflow->stage() == Subflow::Stage::kOpen && same_path(subflow->path(), path);
    });
    if (!open) paths_->missed(path, now);
  }
}

// There is something to carry, or no subflow that can be relied on is left (break before make): one
// the peer calls a backup is where its bytes do not get through (core_watch.cpp, complain).
bool Core::joins_wanted() const {
  if (demand_.is_there()) return true;
  const auto paths = paths_->paths();
  return std::none_of(subflows_.begin(), subflows_.end(), [&](const auto& subflow) {
    const bool good = subflow->tcp() != nullptr && subflow->stage() == Subflow::Stage::kOpen &&
                      !subflow->in_doubt() && (!subflow->backup() || subflow->path().backup);
    return good && std::any_of(paths.begin(), paths.end(), [&](const LocalPath& path) {
             return path.usable && same_path(path, subflow->path());
           });
  });
}

bool Core::occupied(const LocalPath& path) const {
  return std::any_of(subflows_.begin(), subflows_.end(), [&](const auto& subflow) {
    const bool replaceable = subflow->stage() == Subflow::Stage::kClosing ||
                             subflow->stage() == Subflow::Stage::kClosed ||
                             subflow->timeouts_in_doubt() >= kTimeoutsToReplace;
    return !replaceable && same_path(subflow->path(), path);
  });
}

bool Core::healthy_subflow() const {
  return std::any_of(subflows_.begin(), subflows_.end(), [](const auto& subflow) {
    return subflow->tcp() != nullptr && subflow->stage() == Subflow::Stage::kOpen &&
           !subflow->in_doubt();
  });
}

void Core::start_join(const PathManager::Join& wanted, Instant now) {
  const auto port = paths_->allocate_port(wanted.path, wanted.remote);
  if (!port) return;
  const JoinHandshake::Keys keys{level_.negotiation.local_key(), *level_.negotiation.remote_key()};
  const bool backup = for_peer_backup(wanted.path);
  JoinHandshake handshake(keys, wanted.path.address_id, backup, layer_.random().u32());
  subflows_.push_back(std::make_unique<Subflow>(next_id_++, Subflow::Role::kActive, wanted.path,
                                                level_, *this, handshake));
  tcp::ConnectionConfig tcp = tcp_config(wanted.path);
  tcp.max_syn_retransmissions = 3;  // another attempt comes, from another port
  tcp.syn_timeout = path_manager_.patience(wanted.path);
  const Duration impatience = std::max(3 * tcp.expected_rtt, config_.habits->join_impatience);
  pending_joins_.push_back(
      {.subflow = subflows_.back()->id(), .begun = now, .impatient = now + impatience});
  Subflow& subflow = *subflows_.back();
  subflow.set_told_backup(backup);
  const tcp::Tuple tuple{wanted.path.interface, {wanted.path.address, *port}, wanted.remote};
  subflow.attach(layer_.tcp().connect(tuple, subflow, std::move(tcp), now));
}

void Core::run_pending_joins(Instant now) {
  std::erase_if(pending_joins_, [&](const PendingJoin& join) {
    const auto it = std::find_if(subflows_.begin(), subflows_.end(), [&](const auto& subflow) {
      return subflow->id() == join.subflow;
    });
    if (it == subflows_.end() || (*it)->tcp() == nullptr) return true;
    if ((*it)->stage() != Subflow::Stage::kConnecting) return true;
    if (join.impatient > now) return false;
    (*it)->tcp()->repeat_syn();
    paths_->suspected((*it)->path(), join.begun, now);
    return true;
  });
}

Layer::Join Core::accept_join(tcp::InterfaceId interface, const wire::Segment& syn,
                              const wire::MpJoinSyn& option, const LocalPath& path, Instant now) {
  now_ = now;
  if (!level_.plain() && !level_.negotiation.remote_key()) return Layer::Join::kTooEarly;
  const bool ready = level_.mode == Mode::kMptcp && level_.receiver && !level_.orphaned() &&
                     ending_ == Ending::kNone && !status_.closed && !mp_fail_sent_;
  const bool welcome = config_.joins == ConnectionConfig::Joins::kWelcome ||
                       path.address != first_local_;  // C is about this address only (M29)
  if (!ready || !welcome || live_subflows() >= config_.max_subflows) return Layer::Join::kRefused;
  const JoinHandshake::Keys keys{level_.negotiation.local_key(), *level_.negotiation.remote_key()};
  // The address of the first subflow has the id 0, whatever it is announced as (M38).
  const std::uint8_t id = path.address == first_local_ ? 0 : path.address_id;
  JoinHandshake handshake(keys, option, id, layer_.random().u32());
  subflows_.push_back(std::make_unique<Subflow>(next_id_++, Subflow::Role::kPassive, path, level_,
                                                *this, handshake));
  Subflow& subflow = *subflows_.back();
  subflow.attach(layer_.tcp().accept(interface, syn, subflow, tcp_config(path), now));
  return Layer::Join::kAccepted;
}

// Subflows over paths that are gone, or down while another works: the peer is told to stop using
// them at once, over one that survives (M96, M98; DESIGN 6).
void Core::drop_dead_paths(Instant now) {
  if (!has_paths()) return;
  const auto paths = paths_->paths();
  enum class Fate { kGood, kDown, kGone };
  const auto fate = [&](const Subflow& subflow) {
    const auto it = std::find_if(paths.begin(), paths.end(), [&](const LocalPath& path) {
      return same_path(path, subflow.path());
    });
    return it == paths.end() ? Fate::kGone : it->usable ? Fate::kGood : Fate::kDown;
  };
  Subflow* survivor = nullptr;
  for (const auto& subflow : subflows_) {
    if (subflow->tcp() != nullptr && subflow->stage() == Subflow::Stage::kOpen &&
        !subflow->in_doubt() && fate(*subflow) == Fate::kGood && survivor == nullptr) {
      survivor = subflow.get();
    }
  }
  wire::RemoveAddr removed{.count = 0};
  for (const auto& subflow : subflows_) {
    if (subflow->tcp() == nullptr || fate(*subflow) == Fate::kGood) continue;
    if (survivor == nullptr && fate(*subflow) == Fate::kDown) continue;  // it may come back
    if (subflow->was_open() && removed.count < wire::RemoveAddr::kMaxIds) {
      removed.address_ids[removed.count++] = subflow->local_address_id();
    }
    kill(*subflow, std::nullopt, {.transient = true}, now);
  }
  if (survivor != nullptr && removed.count > 0) survivor->send_signal(removed);
}

// A fresh subflow works where an old one has fallen silent (a NAT forgot it): the old one goes.
void Core::retire_doubtful(const Subflow& successor, Instant now) {
  for (const auto& subflow : subflows_) {
    if (subflow.get() == &successor || !same_path(subflow->path(), successor.path())) continue;
    if (subflow->timeouts_in_doubt() < kTimeoutsToReplace || !has_paths()) continue;
    kill(*subflow, std::nullopt,
         {.transient = true, .reason = wire::TcprstReason::kUnacceptablePerformance}, now);  // M75
  }
}

// The peer has come again from an address it was here from: is its older subflow still alive?
// Nobody else would notice while nothing is sent there.
void Core::probe_predecessors(const Subflow& successor, Instant now) {
  const wire::IpAddress& remote = successor.tcp()->tuple().remote.address;
  for (const auto& subflow : subflows_) {
    if (subflow.get() == &successor || subflow->stage() != Subflow::Stage::kOpen) continue;
    if (subflow->tcp() != nullptr && subflow->tcp()->tuple().remote.address == remote) {
      probe(*subflow, now);
    }
  }
}

void Core::probe(Subflow& subflow, Instant now) {
  subflow.tcp()->probe();
  const Duration wait = std::max(subflow.tcp()->path_info().rto * 2, Duration(500ms));
  probes_.push_back({.subflow = subflow.id(), .asked = now, .deadline = now + wait});
}

void Core::run_probes(Instant now) {
  for (const AddressProbe& probe : probes_) {
    if (probe.deadline > now || live_subflows() < 2) continue;
    const auto it = std::find_if(subflows_.begin(), subflows_.end(), [&](const auto& subflow) {
      return subflow->id() == probe.subflow;
    });
    if (it == subflows_.end() || (*it)->last_heard() > probe.asked) continue;
    if ((*it)->tcp() != nullptr) kill(**it, std::nullopt, {.transient = true}, now);
  }
  std::erase_if(probes_, [&](const AddressProbe& probe) { return probe.deadline <= now; });
}

}  // namespace braid::mptcp
