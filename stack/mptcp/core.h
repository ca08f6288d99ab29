// Core: what a mptcp::Connection is made of, and what outlives it: subflows that still finish.
//
//   core.cpp         life: open, accept, join, flush, timers
//   core_events.cpp  what subflows report: handshakes, signals, fallback, ends
//   core_paths.cpp   which subflows there should be: joins, addresses, priorities
//   core_watch.cpp   whether they are still good: silence, idleness, what the host remembers
//   core_close.cpp   how it all ends
// When the owner drops its Connection, the Core goes to the Layer until its last subflow has said
// closed(): TCP knows the subflows by reference.
// Timers beside those of the roles it owns:
//   last subflow   without any subflow: then it is over (M84)
//   linger         the data level is done, subflows' FINs are not: then they are reset
//   address probe  after REMOVE_ADDR: nothing heard from the subflow since (M97)
//   impatience     a join's SYN is unanswered: once more
#pragma once

#include <memory>
#include <vector>

#include "stack/mptcp/announcer.h"
#include "stack/mptcp/connection.h"
#include "stack/mptcp/demand.h"
#include "stack/mptcp/distributor.h"
#include "stack/mptcp/layer.h"
#include "stack/mptcp/path_manager.h"
#include "stack/mptcp/subflow.h"
#include "stack/tcp/window_tuner.h"

namespace braid::mptcp {

class Core final : public Agenda::Entry, public SubflowEvents {
 public:
  Core(Layer& layer, Pipe& outgoing, Pipe& incoming, LocalPaths* paths, ConnectionConfig config,
       Agenda::Entry& owner);
  ~Core();

  // --- mptcp::Connection, see there.
  void connect(const LocalPath& path, std::uint16_t local_port, const wire::Endpoint& remote,
               Bytes syn_payload, Instant now);
  void accept(tcp::InterfaceId interface, const wire::Segment& syn, std::uint32_t message_length,
              const LocalPath& path, Instant now);
  void answer(Instant now);
  void paths_changed(Instant now);
  void announce(std::uint8_t address_id, const wire::Endpoint& address, Instant now);
  void withdraw(std::uint8_t address_id, Instant now);
  void set_priority(tcp::InterfaceId interface, Connection::Priority priority, Instant now);
  void set_policy(sched::Policy policy);
  void set_algorithm(cc::Algorithm algorithm) { config_.algorithm = algorithm; }
  void ask_now(Instant now);
  void abort(Instant now);
  const Status& status() const { return status_; }
  std::uint32_t syn_repeats() const;
  void flush(Instant now);
  Instant next_deadline() const;
  std::vector<Connection::SubflowInfo> subflows() const;
  const Connection::Counters& counters() const { return counters_; }
  std::uint32_t local_token() const { return local_token_; }

  // --- for the Layer.
  // A join by the peer; its token is ours.
  Layer::Join accept_join(tcp::InterfaceId interface, const wire::Segment& syn,
                          const wire::MpJoinSyn& option, const LocalPath& path, Instant now);
  // The owner is gone. What can finish finishes; the rest is aborted.
  void orphan();
  // Nothing is left that TCP could call.
  bool over() const;

 private:
  enum class Ending : std::uint8_t { kNone, kLingering, kOver };
  struct AddressProbe {
    SubflowId subflow = 0;
    Instant asked;
    Instant deadline;
  };
  struct Question {  // keep-alives of one subflow, unanswered so far
    SubflowId subflow = 0;
    Instant asked;
    Instant deadline;
    std::uint32_t asked_times = 0;
  };
  struct Complaint {  // the peer was told that a subflow does not carry, after so many timeouts
    SubflowId subflow = 0;
    std::uint32_t timeouts = 0;
  };
  struct PendingJoin {
    SubflowId subflow = 0;
    Instant begun;
    Instant impatient;
  };
  // Timeouts in a row after which a subflow no longer stands for its path: another is tried beside
  // it.
  static constexpr std::uint32_t kTimeoutsToReplace = 3;

  // --- SubflowEvents
  void wake_up() override { wake(); }
  void opened(Subflow& subflow, const wire::Segment& segment, Instant now) override;
  void syn_repeated() override { notify(); }
  void key_learnt(Instant now) override;
  tcp::Verdict signalled(Subflow& subflow, const wire::MptcpOption& option, Instant now) override;
  tcp::Verdict broken(Subflow& subflow, Breakdown cause, Instant now) override;
  void closed(Subflow& subflow, tcp::CloseReason reason, Instant now) override;

  // core.cpp
  tcp::ConnectionConfig tcp_config(const LocalPath& path);
  Negotiation::Policy negotiation_policy() const;
  void set_up_keys(Negotiation::Role role);
  void start_sender(std::uint64_t window);
  void start_receiver();
  void flush_plain();
  void flush_mptcp(Instant now);
  void send_data_fin(Instant now);
  bool tells_fins_everywhere() const;
  void answer_data_fin();
  void update_window();
  void tune_window(Instant now);
  Duration longest_rto() const;
  Subflow* best_subflow() const;  // open, the least doubtful, then the quickest; or nullptr
  Subflow& first() const { return *subflows_.front(); }
  void notify();
  void reap();

  // core_events.cpp
  void first_opened(Subflow& subflow, const wire::Segment& segment, Instant now);
  void take_add_addr(Subflow& subflow, const wire::AddAddr& option, Instant now);
  void take_remove_addr(const wire::RemoveAddr& option, Instant now);
  tcp::Verdict checksum_failed(Subflow& subflow, Instant now);
  bool can_fall_back(const Subflow& subflow) const;
  void fall_back(Subflow& subflow, Subflow::Tell tell);
  void join_closed(Subflow& subflow, tcp::CloseReason reason, Instant now);

  // core_paths.cpp
  void run_paths(Instant now);
  void run_announcements(Instant now);
  bool may_announce() const;
  void run_priorities();
  void run_probes(Instant now);
  void drop_dead_paths(Instant now);
  void retire_doubtful(const Subflow& successor, Instant now);
  void probe_predecessors(const Subflow& successor, Instant now);
  void probe(Subflow& subflow, Instant now);
  void start_join(const PathManager::Join& wanted, Instant now);
  void run_pending_joins(Instant now);
  void note_demand(Instant now);
  bool joins_allowed() const;
  bool joins_wanted() const;
  bool occupied(const LocalPath& path) const;
  bool closed_to_joins(const LocalPath& path) const;
  bool key_arrives_before(const LocalPath& path) const;
  bool healthy_subflow() const;
  bool has_paths() const { return paths_ != nullptr; }

  // core_watch.cpp
  static Instant answer_due(const Subflow& subflow);
  void watch_silence(Instant now);
  void suspect_quiet(Instant now);
  void complain();
  Subflow* keeper() const;
  bool watches_idle() const;
  Question* question_of(const Subflow& subflow);
  void run_idle(Instant now);
  void ask(Subflow& subflow, Instant now);
  void report_paths(Instant now);

  // core_close.cpp
  void run_closing(Instant now);
  void end(tcp::CloseReason reason);
  void kill(Subflow& subflow, std::optional<wire::MptcpOption> first, wire::MpTcprst why,
            Instant now);
  void reset_all(std::optional<wire::MptcpOption> first, Instant now);
  bool data_level_done() const;
  std::size_t live_subflows() const;
  void answer_half_closes();

  Layer& layer_;
  LocalPaths* paths_;
  ConnectionConfig config_;
  Agenda::Entry* owner_;
  DataLevel level_;
  Distributor distributor_;
  PathManager path_manager_;
  Announcer announcer_;
  std::shared_ptr<cc::CoupledGroup> group_;
  std::vector<std::unique_ptr<Subflow>> subflows_;  // by id, ascending; the first may be gone
  SubflowId next_id_ = 0;
  Status status_;
  Connection::Counters counters_;
  std::uint32_t local_token_ = 0;
  std::optional<wire::IpAddress> first_local_;  // address id 0 of ours
  std::uint16_t first_port_ = 0;                // of the first subflow, ours
  tcp::WindowTuner tuner_;
  Instant now_{};

  Ending ending_ = Ending::kNone;
  Instant linger_deadline_ = kNever;
  Instant last_subflow_deadline_ = kNever;
  std::vector<AddressProbe> probes_;
  std::vector<PendingJoin> pending_joins_;
  Demand demand_;
  Instant answer_deadline_ = kNever;
  std::vector<Question> questions_;
  Instant idle_deadline_ = kNever;
  std::vector<Complaint> complaints_;
  Instant next_report_{};
  bool done_seen_ = false;    // the data level was done when last looked at
  bool paths_dirty_ = false;  // drop_dead_paths() has something to look at
  bool straight_ = true;      // only the first subflow ever carried data, each byte once
  bool mp_fail_sent_ = false;
  std::uint32_t message_length_ = 0;
};

}  // namespace braid::mptcp
