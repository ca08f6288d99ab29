#include "stack/mptcp/connection.h"

#include <utility>

#include "stack/mptcp/core.h"
#include "stack/mptcp/layer.h"

namespace braid::mptcp {

Connection::Connection(Layer& layer, Pipe& outgoing, Pipe& incoming, LocalPaths* paths,
                       ConnectionConfig config, Agenda::Entry& owner)
    : layer_(layer),
      core_(std::make_unique<Core>(layer, outgoing, incoming, paths, config, owner)) {}

Connection::~Connection() {
  core_->orphan();
  layer_.adopt(std::move(core_));
}

void Connection::connect(const LocalPath& path, std::uint16_t local_port,
                         const wire::Endpoint& remote, Bytes syn_payload, Instant now) {
  core_->connect(path, local_port, remote, syn_payload, now);
}

void Connection::accept(tcp::InterfaceId interface, const wire::Segment& syn,
                        std::uint32_t message_length, const LocalPath& path, Instant now) {
  core_->accept(interface, syn, message_length, path, now);
}

void Connection::answer(Instant now) { core_->answer(now); }
void Connection::paths_changed(Instant now) { core_->paths_changed(now); }

void Connection::announce(std::uint8_t address_id, const wire::Endpoint& address, Instant now) {
  core_->announce(address_id, address, now);
}

void Connection::withdraw(std::uint8_t address_id, Instant now) {
  core_->withdraw(address_id, now);
}

void Connection::set_priority(tcp::InterfaceId interface, Priority priority, Instant now) {
  core_->set_priority(interface, priority, now);
}

void Connection::set_policy(sched::Policy policy) { core_->set_policy(policy); }
void Connection::set_algorithm(cc::Algorithm algorithm) { core_->set_algorithm(algorithm); }
void Connection::ask(Instant now) { core_->ask_now(now); }
void Connection::abort(Instant now) { core_->abort(now); }
const Status& Connection::status() const { return core_->status(); }
std::uint32_t Connection::syn_repeats() const { return core_->syn_repeats(); }
Instant Connection::next_deadline() const { return core_->next_deadline(); }
void Connection::wake() { core_->wake(); }

std::vector<Connection::SubflowInfo> Connection::subflows() const { return core_->subflows(); }
const Connection::Counters& Connection::counters() const { return core_->counters(); }
std::uint32_t Connection::local_token() const { return core_->local_token(); }

}  // namespace braid::mptcp
