// What subflows report to their connection.
#include <algorithm>

#include "stack/base/ensure.h"
#include "stack/mptcp/core.h"

namespace braid::mptcp {

using tcp::Verdict;

// ---- handshakes

void Core::opened(Subflow& subflow, const wire::Segment& segment, Instant now) {
  now_ = now;
  if (!subflow.is_join()) return first_opened(subflow, segment, now);
  straight_ = false;
  ++counters_.joins;
  path_manager_.succeeded(subflow.path());
  if (has_paths()) paths_->let_in(subflow.path(), subflow.tcp()->tuple().remote);
  announcer_.start_over();
  last_subflow_deadline_ = kNever;
  paths_dirty_ = true;
  if (subflow.role() == Subflow::Role::kActive) {
    retire_doubtful(subflow, now);
  } else {
    probe_predecessors(subflow, now);
  }
  notify();
}

void Core::first_opened(Subflow& subflow, const wire::Segment& segment, Instant now) {
  status_.established = true;
  if (has_paths()) paths_->let_in(subflow.path(), subflow.tcp()->tuple().remote);
  status_.syn_payload_refused = subflow.syn_bytes_refused() > 0;
  status_.capable_unanswered = subflow.capable_unanswered();
  if (!level_.negotiation.agreed()) {
    if (level_.mode != Mode::kFallback) ++counters_.fallbacks;
    level_.mode = Mode::kFallback;
  } else {
    level_.mode = Mode::kMptcp;
    path_manager_.set_primary_joinable(level_.negotiation.peer_denies_joins()
                                           ? PathManager::Joinable::kDenied
                                           : PathManager::Joinable::kYes);
    if (!level_.sender) start_sender(0);
    if (!level_.receiver) key_learnt(now);
    // Until the first DATA_ACK the handshake's window is the connection's.
    const std::uint8_t shift = segment.flags.syn ? 0 : subflow.tcp()->agreed().send_shift;
    level_.sender->initial_window(std::uint64_t{segment.window} << shift);
    if (subflow.path().backup) {
      subflow.set_told_backup(true);
      subflow.send_signal(wire::MpPrio{.backup = true});
    }
  }
  status_.mode = level_.mode;
  notify();
}

void Core::key_learnt(Instant /*now*/) {
  if (level_.receiver) return;
  start_receiver();
  // A client that sent everything in its SYN waits for a DATA_ACK before it may join (M24).
  if (message_length_ > 0) first().tcp()->request_ack();
}

// ---- signals

Verdict Core::signalled(Subflow& subflow, const wire::MptcpOption& option, Instant now) {
  now_ = now;
  if (!level_.negotiation.agreed() || level_.orphaned()) return Verdict::kContinue;
  if (const auto* add = std::get_if<wire::AddAddr>(&option)) {
    take_add_addr(subflow, *add, now);
  } else if (const auto* remove = std::get_if<wire::RemoveAddr>(&option)) {
    take_remove_addr(*remove, now);
  } else if (const auto* priority = std::get_if<wire::MpPrio>(&option)) {
    subflow.set_peer_backup(priority->backup);  // M77, M46: only about what we send
  } else if (const auto* fastclose = std::get_if<wire::MpFastclose>(&option)) {
    if (fastclose->receiver_key == level_.negotiation.local_key()) {  // M101
      reset_all(std::nullopt, now);
      end(tcp::CloseReason::kReset);
    }
  } else if (std::holds_alternative<wire::MpFail>(option)) {
    return broken(subflow, Breakdown::kFailSignal, now);
  }
  wake();
  return Verdict::kContinue;
}

void Core::take_add_addr(Subflow& subflow, const wire::AddAddr& option, Instant /*now*/) {
  if (option.echo) {
    announcer_.echoed(option.address_id);
    return;
  }
  const auto remote_key = level_.negotiation.remote_key();
  if (!remote_key) return;
  const std::uint64_t expected =
      add_addr_hmac(*remote_key, level_.negotiation.local_key(), option.address_id, option.address,
                    option.port.value_or(0));
  if (expected != option.truncated_hmac) return;  // M89
  level_.proof = DataLevel::Proof::kSeen;         // its HMAC takes both keys
  path_manager_.advertised(option.address_id, option.address, option.port);
  wire::AddAddr echo = option;
  echo.echo = true;
  echo.truncated_hmac = 0;
  subflow.send_signal(echo);  // M90
}

// M97: a removed address may be an old message, or forged: who still answers there stays.
void Core::take_remove_addr(const wire::RemoveAddr& option, Instant now) {
  for (std::size_t i = 0; i < option.count; ++i) {
    const std::uint8_t id = option.address_ids[i];
    path_manager_.withdrawn(id);
    for (const auto& subflow : subflows_) {
      if (subflow->remote_address_id() != id || subflow->tcp() == nullptr) continue;
      if (subflow->stage() != Subflow::Stage::kOpen) continue;
      subflow->doubt(1);
      if (level_.sender) {
        level_.sender->subflow_trouble(subflow->id(), DataSender::Trouble::kTimedOut, now);
      }
      probe(*subflow, now);
    }
  }
}

// ---- fallback (RFC 8684 3.7)

// Positions and offsets run in parallel only as long as one subflow carried all of both directions,
// each byte once.
bool Core::can_fall_back(const Subflow& subflow) const {
  return !subflow.is_join() && straight_ && subflow.tcp() != nullptr &&
         subflow.stage() != Subflow::Stage::kClosing &&
         const_cast<Subflow&>(subflow).receiver().straight();
}

Verdict Core::broken(Subflow& subflow, Breakdown cause, Instant now) {
  now_ = now;
  if (cause == Breakdown::kChecksum) return checksum_failed(subflow, now);
  if (!can_fall_back(subflow)) return Verdict::kReset;
  // M110: who still maps is no plain sender, and may map the same bytes again before it hears of
  // us.
  if (cause == Breakdown::kNoMapping && subflow.receiver().overtaken()) return Verdict::kReset;
  if (cause == Breakdown::kFailSignal && !mp_fail_sent_ && level_.receiver) {
    mp_fail_sent_ = true;  // M114
    subflow.send_signal(wire::MpFail{level_.receiver->data_ack()});
  }
  const bool peer_knows = cause == Breakdown::kInfiniteMapping || cause == Breakdown::kNoCapable;
  fall_back(subflow, peer_knows ? Subflow::Tell::kNobody : Subflow::Tell::kPeer);
  return Verdict::kContinue;
}

// M111, M113, M115: alone and in order, the bytes stay and wait for the peer's consent; else the
// subflow dies and they come again elsewhere.
Verdict Core::checksum_failed(Subflow& subflow, Instant /*now*/) {
  if (!mp_fail_sent_) ++counters_.checksum_failures;
  if (!can_fall_back(subflow)) return Verdict::kReset;
  // What still comes shows that the peer does not know yet: it is told again.
  if (mp_fail_sent_ && subflow.has_signals()) return Verdict::kContinue;
  mp_fail_sent_ = true;
  subflow.send_signal(wire::MpFail{*subflow.receiver().failed_data_sequence()});
  return Verdict::kContinue;
}

void Core::fall_back(Subflow& subflow, Subflow::Tell tell) {
  ++counters_.fallbacks;
  level_.mode = status_.mode = Mode::kFallback;
  for (const auto& other : subflows_) {  // M117
    if (other.get() != &subflow) other->reset(std::nullopt, {}, now_);
  }
  subflow.fall_back(tell);
  level_.negotiation.give_up();
  level_.sender.reset();
  level_.receiver.reset();
  notify();
  wake();
}

// ---- ends

void Core::closed(Subflow& subflow, tcp::CloseReason reason, Instant now) {
  now_ = now;
  wake();
  if (level_.orphaned() || status_.closed) return;
  if (!status_.established && !subflow.is_join()) return end(reason);
  if (level_.plain()) return subflow.is_join() ? void() : end(reason);
  // The peer did not consent to a fallback: what failed comes again over a new subflow.
  if (!subflow.is_join()) mp_fail_sent_ = false;
  if (level_.sender) {
    level_.sender->subflow_trouble(subflow.id(), DataSender::Trouble::kFailed, now);
  }
  if (subflow.is_join()) join_closed(subflow, reason, now);
  paths_dirty_ = true;
}

void Core::join_closed(Subflow& subflow, tcp::CloseReason reason, Instant now) {
  if (subflow.role() != Subflow::Role::kActive || subflow.was_open()) return;
  ++counters_.joins_failed;
  const auto why = subflow.peer_reset();
  const bool permanent = why && !why->transient && why->reason != wire::TcprstReason::kUnspecified;
  path_manager_.failed(
      subflow.path(),
      permanent ? PathManager::Refusal::kPermanent : PathManager::Refusal::kTransient, now);
  // The peer answers, but knows nothing of us, and no subflow says otherwise: it has restarted.
  if (reason == tcp::CloseReason::kRefused && !healthy_subflow()) {
    status_.forgotten = true;
    reset_all(std::nullopt, now);
    end(tcp::CloseReason::kReset);
  }
}

}  // namespace braid::mptcp
