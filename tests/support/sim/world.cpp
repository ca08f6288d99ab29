#include "tests/support/sim/world.h"

#include <algorithm>
#include <bit>
#include <stdexcept>
#include <utility>

#include "stack/base/ensure.h"
#include "tests/support/sim/offload.h"

namespace braid::sim {
namespace {

// Steps without time moving on before a run is called stuck.
constexpr std::uint64_t kStandstill = 1'000'000;

std::uint64_t mixed(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
  return std::rotl(hash, 29) ^ (hash >> 32);
}

bool later(const auto& a, const auto& b) {
  return a.when != b.when ? a.when > b.when : a.order > b.order;
}

}  // namespace

// Where a filter's packets go: on to the next stage in their direction.
class World::FilterOutput final : public Filter::Output {
 public:
  FilterOutput(World& world, Link& link, std::size_t stage)
      : world_(world), link_(link), stage_(stage) {}
  void emit(Toward toward, Packet packet) override {
    // Stage n lies before filter n as seen from A; stage filters.size() is the wire.
    world_.pass(link_, toward == Toward::kB ? stage_ + 1 : stage_, toward, std::move(packet));
  }

 private:
  World& world_;
  Link& link_;
  std::size_t stage_;
};

World::World(std::uint64_t seed) : random_(seed) {}

HostId World::add_host(HostSettings settings) {
  residents_.push_back({nullptr, settings, fork_random(), kNever, {}});
  return residents_.size() - 1;
}

void World::attach(HostId id, Host& host) { residents_.at(id).host = &host; }

void World::detach(HostId id) {
  Resident& resident = residents_.at(id);
  resident.host = nullptr;
  resident.wake_at = kNever;
  for (std::size_t index : resident.attachments) attachments_[index]->inbox.clear();
}

LinkId World::connect(Port a, Port b, const LinkSettings& both) {
  return connect(a, b, both, both);
}

LinkId World::connect(Port a, Port b, const LinkSettings& a_to_b, const LinkSettings& b_to_a) {
  const LinkId id = links_.size();
  const std::size_t end_a = attach_port(a, id, Toward::kB);
  const std::size_t end_b = attach_port(b, id, Toward::kA);
  links_.push_back(std::make_unique<Link>(Link{end_a,
                                               end_b,
                                               {},
                                               LinkModel(b_to_a, fork_random(), now_),
                                               LinkModel(a_to_b, fork_random(), now_)}));
  return id;
}

SimDoor& World::door(Port port) { return *attachments_[find(port)]->door; }

void World::set_link(LinkId link, Toward direction, const LinkSettings& settings) {
  links_.at(link)->model(direction).set(settings, now_);
}

void World::set_link(LinkId link, const LinkSettings& both) {
  set_link(link, Toward::kA, both);
  set_link(link, Toward::kB, both);
}

void World::set_state(LinkId link, LinkState state) {
  links_.at(link)->to_a.set_state(state, now_);
  links_.at(link)->to_b.set_state(state, now_);
  check_carrier(*links_[link]);
}

const LinkModel& World::model(LinkId link, Toward direction) const {
  return links_.at(link)->model(direction);
}

void World::at(Instant when, std::function<void()> action) {
  actions_.push_back({std::max(when, now_), next_order_++, std::move(action)});
  std::push_heap(actions_.begin(), actions_.end(), later<Action, Action>);
}

bool World::run_until(const std::function<bool()>& done, Duration limit) {
  const Instant end = now_ + limit;
  std::uint64_t standing = 0;
  if (done()) return true;
  for (;;) {
    const Instant next = next_instant();
    if (next > end || next == kNever) {
      if (next != kNever) now_ = end;
      return false;
    }
    standing = next > now_ ? 0 : standing + 1;
    if (standing > kStandstill) report_standstill();
    step(next);
    if (done()) return true;
  }
}

void World::run_for(Duration time) {
  const Instant end = now_ + time;
  run_until([] { return false; }, time);
  now_ = end;
}

void World::capture(Port port, const std::string& path) {
  attachments_[find(port)]->capture = std::make_unique<PcapWriter>(path);
}

Random World::fork_random() { return Random(random_.u64()); }

std::size_t World::attach_port(Port port, LinkId link, Toward outward) {
  ENSURE(std::none_of(attachments_.begin(), attachments_.end(),
                      [&](const auto& other) { return other->port == port; }));
  const std::size_t index = attachments_.size();
  auto attachment = std::make_unique<Attachment>();
  attachment->port = port;
  attachment->link = link;
  attachment->outward = outward;
  attachment->door =
      std::make_unique<SimDoor>(DoorSettings{}, fork_random(), now_, [this, index](Packet packet) {
        Attachment& from = *attachments_[index];
        if (from.capture) from.capture->write(packet, now_);
        Link& on = *links_[from.link];
        if (from.outward == Toward::kB) {
          pass(on, 0, Toward::kB, std::move(packet));
        } else {
          on.to_a.enqueue(std::move(packet), now_);
        }
      });
  attachments_.push_back(std::move(attachment));
  residents_.at(port.host).attachments.push_back(index);
  return index;
}

std::size_t World::find(Port port) const {
  for (std::size_t i = 0; i < attachments_.size(); ++i) {
    if (attachments_[i]->port == port) return i;
  }
  throw std::out_of_range("no such port in this world");
}

void World::pass(Link& link, std::size_t stage, Toward toward, Packet packet) {
  if (toward == Toward::kB && stage == link.filters.size()) {
    link.to_b.enqueue(std::move(packet), now_);
  } else if (toward == Toward::kA && stage == 0) {
    deliver(*attachments_[link.end_a], std::move(packet));
  } else {
    const std::size_t index = toward == Toward::kB ? stage : stage - 1;
    FilterOutput out(*this, link, index);
    link.filters[index]->pass(std::move(packet), toward, now_, out);
  }
}

void World::deliver(Attachment& attachment, Packet packet) {
  Resident& resident = residents_[attachment.port.host];
  if (resident.host == nullptr) return;
  attachment.inbox.push_back(std::move(packet));
  if (resident.wake_at != kNever) return;
  resident.wake_at = now_;
  if (resident.settings.wakeup_latency > Duration::zero()) {
    resident.wake_at += Duration(static_cast<std::int64_t>(
        resident.random.unit() * static_cast<double>(resident.settings.wakeup_latency.count())));
  }
}

Instant World::host_deadline(const Resident& resident) {
  if (resident.host == nullptr) return kNever;
  Instant deadline = std::min(resident.wake_at, resident.host->next_deadline());
  for (std::size_t index : resident.attachments) {
    deadline = std::min(deadline, attachments_[index]->door->next_deadline());
  }
  return deadline;
}

Instant World::next_instant() {
  Instant next = actions_.empty() ? kNever : actions_.front().when;
  for (const auto& link : links_) {
    next = std::min({next, link->to_a.next_deadline(), link->to_b.next_deadline()});
    for (const auto& filter : link->filters) next = std::min(next, filter->next_deadline());
  }
  for (const Resident& resident : residents_) next = std::min(next, host_deadline(resident));
  return std::max(next, now_);
}

void World::step(Instant at) {
  // A device that becomes ready now counts as due, so ask before time moves on.
  std::vector<std::size_t> due;
  for (std::size_t i = 0; i < residents_.size(); ++i) {
    if (host_deadline(residents_[i]) <= at) due.push_back(i);
  }
  now_ = at;
  ++steps_;
  run_actions();
  run_links();
  for (std::size_t i = 0; i < residents_.size(); ++i) {
    const bool was_due = std::find(due.begin(), due.end(), i) != due.end();
    if (was_due || residents_[i].wake_at <= now_) run_host(residents_[i]);
  }
}

void World::run_actions() {
  while (!actions_.empty() && actions_.front().when <= now_) {
    std::pop_heap(actions_.begin(), actions_.end(), later<Action, Action>);
    const std::function<void()> run = std::move(actions_.back().run);
    actions_.pop_back();
    run();
  }
}

void World::run_links() {
  for (const auto& link : links_) {
    for (std::size_t i = 0; i < link->filters.size(); ++i) {
      if (link->filters[i]->next_deadline() > now_) continue;
      FilterOutput out(*this, *link, i);
      link->filters[i]->flush(now_, out);
    }
    while (auto delivery = link->to_b.pop_delivered(now_)) {
      deliver(*attachments_[link->end_b], std::move(delivery->packet));
    }
    while (auto delivery = link->to_a.pop_delivered(now_)) {
      pass(*link, link->filters.size(), Toward::kA, std::move(delivery->packet));
    }
    check_carrier(*link);
  }
}

void World::check_carrier(Link& link) {
  const bool off =
      link.to_a.state() == LinkState::kNoCarrier || link.to_b.state() == LinkState::kNoCarrier;
  const Carrier carrier = off ? Carrier::kOff : Carrier::kOn;
  if (carrier == link.carrier) return;
  link.carrier = carrier;
  for (std::size_t end : {link.end_a, link.end_b}) {
    const Port port = attachments_[end]->port;
    Resident& resident = residents_[port.host];
    if (resident.host == nullptr) continue;
    resident.host->carrier_changed(port.interface, carrier, now_);
    resident.wake_at = std::min(resident.wake_at, now_);
  }
}

void World::run_host(Resident& resident) {
  if (resident.host == nullptr) return;
  if (resident.wake_at <= now_) {
    resident.wake_at = kNever;
    for (std::size_t index : resident.attachments) receive_all(resident, *attachments_[index]);
  }
  if (resident.host != nullptr) resident.host->flush(now_);
}

void World::receive_all(Resident& resident, Attachment& attachment) {
  std::vector<Packet> packets = std::exchange(attachment.inbox, {});
  if (attachment.capture) {
    for (const Packet& packet : packets) attachment.capture->write(packet, now_);
  }
  std::vector<Received> received;
  if (attachment.door->settings().gro == Gro::kOn && packets.size() > 1) {
    received = coalesce(std::move(packets));
  } else {
    for (Packet& packet : packets) received.push_back({std::move(packet)});
  }
  for (const Received& one : received) {
    add_to_trace(attachment.port, one.packet);
    const PacketIn in{one.packet, one.gso_size, one.checksum};
    if (listener_) listener_(attachment.port, in, now_);
    resident.host->receive(attachment.port.interface, in, now_);
  }
}

void World::add_to_trace(Port port, Bytes packet) {
  std::uint64_t hash =
      mixed(trace_hash_, static_cast<std::uint64_t>(now_.time_since_epoch().count()));
  hash = mixed(hash, port.host << 32 | static_cast<std::uint32_t>(port.interface));
  hash = mixed(hash, packet.size());
  std::size_t i = 0;
  for (; i + 8 <= packet.size(); i += 8) hash = mixed(hash, load_be64(packet.data() + i));
  std::uint64_t rest = 0;
  for (; i < packet.size(); ++i) rest = rest << 8 | packet[i];
  trace_hash_ = mixed(hash, rest);
}

void World::report_standstill() {
  std::string who;
  for (std::size_t i = 0; i < residents_.size(); ++i) {
    if (host_deadline(residents_[i]) <= now_) who += " host " + std::to_string(i);
  }
  throw std::runtime_error("time stands still at " +
                           std::to_string(now_.time_since_epoch().count()) + " ns:" + who);
}

}  // namespace braid::sim
