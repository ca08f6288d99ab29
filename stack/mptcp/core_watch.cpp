// Who watches whether subflows are still good: silence under load, idle connections behind NATs,
// and what the host remembers of its paths (RFC 9040).
//
// Timers by name:
//   answer     what is outstanding on a subflow should have been answered by now
//   keep-alive nothing was heard on a subflow for the time a NAT remembers
//   question   a keep-alive is unanswered
//   report     what the path is like is told to the host once more
#include <algorithm>
#include <tuple>

#include "stack/mptcp/core.h"

namespace braid::mptcp {
namespace {

// How much later than expected an answer may come: delayed ACKs and a radio's hiccups lie below.
constexpr Duration kLeastMercy = 100ms;
constexpr Duration kLeastQuiet = 200ms;
constexpr Duration kReportEvery = 100ms;
constexpr Duration kFirstQuestion = 500ms;
constexpr Duration kLongestQuestion = 75s;
// Unanswered keep-alives in a row after which another subflow is tried beside this one, and after
// which it is given up (RFC 9293 MUST-26: not after the first).
constexpr std::uint32_t kQuestionsToReplace = 3;
constexpr std::uint32_t kMostQuestions = 9;

}  // namespace

// ---- silence

// When what is outstanding there should have been answered; never: nothing is, or nobody can say.
Instant Core::answer_due(const Subflow& subflow) {
  const tcp::Connection::PathInfo info = subflow.tcp()->path_info();
  if (info.oldest_sent == kNever || info.srtt == Duration::zero()) return kNever;
  const Instant expected = std::max(info.last_received, info.oldest_sent + info.srtt);
  return expected + std::max(4 * info.rttvar, kLeastMercy);
}

// Who only receives is owed nothing by TCP. But a subflow that falls quiet while another one goes
// on bringing bytes may have lost its path, and the host can ask.
void Core::suspect_quiet(Instant now) {
  Instant latest = Instant::min();
  for (const auto& subflow : subflows_) {
    if (subflow->carries_data()) latest = std::max(latest, subflow->last_heard());
  }
  for (const auto& subflow : subflows_) {
    if (!subflow->carries_data() || subflow->in_doubt()) continue;
    const Duration patience = std::max(2 * subflow->tcp()->path_info().srtt, kLeastQuiet);
    if (subflow->last_heard() + patience < latest) {
      paths_->suspected(subflow->path(), subflow->last_heard(), now);
    }
  }
}

// Whoever cannot join may be left with one subflow on which his bytes do not get through while ACKs
// do (a hop too narrow for full segments, say), and the peer knows of nothing. MP_PRIO says it:
// that subflow is for want of a better one, and a peer with other paths joins over them. It is said
// after each timeout from the second on, and taken back when everything has been acknowledged
// there.
void Core::complain() {
  std::size_t reliable = 0;
  for (const auto& subflow : subflows_) reliable += subflow->carries_data() && !subflow->in_doubt();
  for (const auto& subflow : subflows_) {
    if (subflow->stage() != Subflow::Stage::kOpen || subflow->tcp() == nullptr) continue;
    const auto made = std::find_if(complaints_.begin(), complaints_.end(),
                                   [&](const auto& c) { return c.subflow == subflow->id(); });
    const std::uint32_t timeouts = subflow->timeouts_in_doubt();
    if (made != complaints_.end() && !subflow->in_doubt() && subflow->unacked() == 0) {
      complaints_.erase(made);
      subflow->send_signal(wire::MpPrio{.backup = false});
    } else if (reliable == 0 && timeouts > 1 &&
               (made == complaints_.end() || made->timeouts != timeouts)) {
      if (made == complaints_.end()) {
        complaints_.push_back({subflow->id(), timeouts});
      } else {
        made->timeouts = timeouts;
      }
      subflow->send_signal(wire::MpPrio{.backup = true});
    }
  }
}

// A subflow that owes answers while another one does not is left before its own timer would say so:
// its timer has to be patient, since it decides about the congestion window; here a wrong guess
// costs bytes sent twice and nothing else. When all owe answers none of them is to blame.
void Core::watch_silence(Instant now) {
  answer_deadline_ = kNever;
  if (has_paths()) suspect_quiet(now);
  if (!has_paths()) complain();
  Subflow* silent = nullptr;
  std::size_t well = 0;
  for (const auto& subflow : subflows_) {
    if (!subflow->carries_data()) continue;
    if (subflow->in_doubt()) {
      if (has_paths()) paths_->suspected(subflow->path(), subflow->last_heard(), now);
      continue;
    }
    const Instant due = answer_due(*subflow);
    if (due > now) {
      ++well;
      answer_deadline_ = std::min(answer_deadline_, due);
      continue;
    }
    if (has_paths()) paths_->suspected(subflow->path(), subflow->last_heard(), now);
    silent = subflow.get();
  }
  if (silent == nullptr || (well == 0 && !has_paths())) return;
  for (const auto& subflow : subflows_) {
    if (!subflow->carries_data() || subflow->in_doubt() || answer_due(*subflow) > now) continue;
    if (well == 0 && live_subflows() > 1) continue;
    ++counters_.silences;
    subflow->doubt(1);
    level_.sender->subflow_trouble(subflow->id(), DataSender::Trouble::kTimedOut, now);
    wake();
  }
}

// ---- idle connections

// The subflow that keeps an idle connection reachable: regular before backup, the cheapest, then
// the quickest.
Subflow* Core::keeper() const {
  Subflow* best = nullptr;
  const auto rank = [](const Subflow& s) {
    const std::uint32_t cost = s.path().link != nullptr ? s.path().link->cost : 0;
    return std::tuple(s.in_doubt(), s.backup(), cost, s.tcp()->path_info().srtt, s.id());
  };
  for (const auto& subflow : subflows_) {
    if (subflow->tcp() == nullptr || subflow->stage() != Subflow::Stage::kOpen) continue;
    if (best == nullptr || rank(*subflow) < rank(*best)) best = subflow.get();
  }
  return best;
}

bool Core::watches_idle() const {
  return has_paths() && config_.keepalive > Duration::zero() && status_.established &&
         !status_.closed && !level_.orphaned();
}

Core::Question* Core::question_of(const Subflow& subflow) {
  for (Question& question : questions_) {
    if (question.subflow == subflow.id()) return &question;
  }
  return nullptr;
}

// When nothing was heard for so long that a NAT is about to forget: the keeper asks, and so does
// every subflow of a busy connection; of an idle one the others are closed, for a mapping each
// would cost a packet each, and they can be joined again when there is something to carry.
void Core::run_idle(Instant now) {
  idle_deadline_ = kNever;
  if (!watches_idle()) return;
  std::erase_if(questions_, [&](const Question& question) {
    return std::none_of(subflows_.begin(), subflows_.end(), [&](const auto& subflow) {
      return subflow->id() == question.subflow && subflow->last_heard() <= question.asked;
    });
  });
  const Subflow* const kept = keeper();
  for (const auto& subflow : subflows_) {
    if (subflow->tcp() == nullptr || subflow->stage() != Subflow::Stage::kOpen) continue;
    const Question* const open = question_of(*subflow);
    const Instant due =
        open != nullptr ? open->deadline : subflow->last_heard() + config_.keepalive;
    if (due > now) {
      idle_deadline_ = std::min(idle_deadline_, due);
    } else if (subflow.get() == kept || demand_.is_there() || level_.plain()) {
      ask(*subflow, now);
    } else {
      ++counters_.retired;
      kill(*subflow, std::nullopt, {.transient = true}, now);
    }
  }
}

void Core::ask_now(Instant now) {
  now_ = now;
  if (status_.closed || !status_.established) return;
  if (Subflow* const subflow = keeper()) ask(*subflow, now);
  wake();
}

void Core::ask(Subflow& subflow, Instant now) {
  Question* question = question_of(subflow);
  if (question == nullptr) {
    questions_.push_back({.subflow = subflow.id()});
    question = &questions_.back();
  }
  // Bytes that are outstanding ask by themselves.
  const bool owed = subflow.tcp()->path_info().oldest_sent != kNever;
  if (question->asked_times == kMostQuestions && !owed) {
    kill(subflow, std::nullopt, {.transient = true}, now);
    return;
  }
  Duration wait = std::max(2 * subflow.tcp()->path_info().rto, kFirstQuestion);
  for (std::uint32_t i = 0; i < question->asked_times && wait < kLongestQuestion; ++i) wait *= 2;
  question->asked = now;
  question->deadline = now + std::min(wait, kLongestQuestion);
  idle_deadline_ = std::min(idle_deadline_, question->deadline);
  if (owed) return;
  if (++question->asked_times > kQuestionsToReplace) {
    subflow.doubt(kTimeoutsToReplace);
    if (has_paths()) paths_->suspected(subflow.path(), subflow.last_heard(), now);
    wake();
  }
  ++counters_.keepalives;
  subflow.tcp()->probe();
}

// ---- what the host remembers

void Core::report_paths(Instant now) {
  if (!has_paths() || now < next_report_) return;
  next_report_ = now + kReportEvery;
  for (const auto& subflow : subflows_) {
    if (subflow->tcp() == nullptr || !subflow->was_open() || subflow->in_doubt()) continue;
    const tcp::Connection::PathInfo info = subflow->tcp()->path_info();
    if (info.srtt > Duration::zero()) paths_->learnt(subflow->path(), info, now);
  }
}

}  // namespace braid::mptcp
