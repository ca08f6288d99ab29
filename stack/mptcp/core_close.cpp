// How a connection ends (RFC 8684 3.3.3, 3.5).
#include <algorithm>
#include <utility>

#include "stack/mptcp/core.h"

namespace braid::mptcp {
namespace {

// How long subflows may take to close after the data level has, before they are reset.
constexpr Duration kLinger = 30s;

}  // namespace

bool Core::data_level_done() const {
  return level_.sender && level_.receiver && level_.sender->fin_acked() &&
         level_.receiver->fin_received();
}

std::size_t Core::live_subflows() const {
  return static_cast<std::size_t>(
      std::count_if(subflows_.begin(), subflows_.end(),
                    [](const auto& subflow) { return subflow->tcp() != nullptr; }));
}

// A subflow the peer has finished is finished from here, too, when another can carry what is left.
// The last one stays half-closed: our side of the stream may have more to say (M86).
void Core::answer_half_closes() {
  const auto carries_on = [](const auto& subflow) {
    return subflow->stage() == Subflow::Stage::kOpen && !subflow->peer_half_closed();
  };
  if (std::none_of(subflows_.begin(), subflows_.end(), carries_on)) return;
  for (const auto& subflow : subflows_) {
    if (subflow->peer_half_closed()) subflow->finish();
  }
}

void Core::run_closing(Instant now) {
  if (linger_deadline_ <= now) {
    linger_deadline_ = kNever;
    for (const auto& subflow : subflows_) {
      if (subflow->tcp() != nullptr) subflow->tcp()->abort(now);
    }
  }
  if (level_.orphaned() || status_.closed) return;
  if (!level_.plain()) answer_half_closes();
  if (!level_.plain() && data_level_done()) {  // M82
    // The DATA_ACK of the peer's DATA_FIN leaves before any FIN: it has waited for that one longer.
    const bool waits = config_.habits->subflow_fins == Habits::SubflowFins::kAfterDataAck;
    if (waits && !std::exchange(done_seen_, true)) return wake();
    for (const auto& subflow : subflows_) {
      if (subflow->stage() == Subflow::Stage::kOpen) {
        subflow->finish();
      } else if (subflow->tcp() != nullptr && subflow->stage() != Subflow::Stage::kClosing) {
        kill(*subflow, std::nullopt, {.transient = true}, now);
      }
    }
    end(tcp::CloseReason::kFinished);
    return;
  }
  if (!status_.established || live_subflows() > 0) {
    last_subflow_deadline_ = kNever;
  } else if (last_subflow_deadline_ == kNever) {  // M84: break before make
    last_subflow_deadline_ = now + config_.last_subflow_timeout;
  } else if (last_subflow_deadline_ <= now) {
    end(tcp::CloseReason::kTimedOut);
  }
}

// It is over for the owner. Subflows may still have something to finish.
void Core::end(tcp::CloseReason reason) {
  if (status_.closed) return;
  status_.closed = reason;
  ending_ = Ending::kLingering;
  last_subflow_deadline_ = kNever;
  linger_deadline_ = live_subflows() > 0 ? now_ + kLinger : kNever;
  layer_.forget_token(local_token_, *this);
  notify();
  wake();
}

void Core::reset_all(std::optional<wire::MptcpOption> first, Instant now) {
  for (const auto& subflow : subflows_) kill(*subflow, first, {}, now);
}

// A RST that has to wait for its door must not hold up what the subflow carried.
void Core::kill(Subflow& subflow, std::optional<wire::MptcpOption> first, wire::MpTcprst why,
                Instant now) {
  subflow.reset(first, why, now);
  if (level_.sender) {
    level_.sender->subflow_trouble(subflow.id(), DataSender::Trouble::kFailed, now);
  }
}

// M100, option R: what the kernel does too, on every subflow and once.
void Core::abort(Instant now) {
  now_ = now;
  if (status_.closed && live_subflows() == 0) return;
  const auto key = level_.negotiation.remote_key();
  std::optional<wire::MptcpOption> fastclose;
  if (!level_.plain() && level_.negotiation.agreed() && key) {
    fastclose = wire::MpFastclose{.receiver_key = *key};
  }
  Agenda::Entry* const owner = std::exchange(owner_, nullptr);  // it is not woken for this
  end(tcp::CloseReason::kAborted);
  owner_ = owner;
  reset_all(fastclose, now);
}

void Core::orphan() {
  if (!status_.closed) abort(now_);
  if (level_.plain()) reset_all(std::nullopt, now_);
  level_.outgoing->set_reader(nullptr);
  level_.incoming->set_writer(nullptr);
  if (level_.receiver) level_.last_data_ack = level_.receiver->data_ack();
  level_.sender.reset();
  level_.owner = DataLevel::Owner::kGone;
  owner_ = nullptr;
  wake();
}

bool Core::over() const { return level_.orphaned() && live_subflows() == 0; }

}  // namespace braid::mptcp
