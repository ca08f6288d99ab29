// World: hosts, links and virtual time. A run is a function of the seed and of what the test does.
//
// Build: add_host for every host, connect their interfaces, take the doors, make the machines,
// attach them. Run: run_until or run_for. One step of a run takes the earliest instant at which
// anything has work; then, in this order: actions of the test, filters, links, and every host that
// got packets or is due receives them all and is flushed once. What it sends is on the wire at that
// same instant.
//
//   World world(seed);
//   HostId a = world.add_host(), b = world.add_host();
//   LinkId link = world.connect({a, 0}, {b, 0}, {.rate = Rate::bits_per_second(50'000'000), .delay
//   = 10ms}); MyHost alice(world.door({a, 0})), bob(world.door({b, 0})); world.attach(a, alice);
//   world.attach(b, bob); bool ok = world.run_until([&] { return bob.done(); }, 60s);
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "stack/base/random.h"
#include "tests/support/sim/door.h"
#include "tests/support/sim/filter.h"
#include "tests/support/sim/host.h"
#include "tests/support/sim/link_model.h"
#include "tests/support/sim/pcap_writer.h"

namespace braid::sim {

using HostId = std::size_t;
using LinkId = std::size_t;

struct Port {
  HostId host = 0;
  int interface = 0;
  bool operator==(const Port&) const = default;
};

struct HostSettings {
  // From a packet's arrival to the host's wake-up, uniformly up to this: what arrives in between is
  // received together, and may be joined (Gro).
  Duration wakeup_latency{0};
};

class World {
 public:
  explicit World(std::uint64_t seed);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  HostId add_host(HostSettings settings = {});
  // The machine behind the id; may be replaced or taken away (a crash) between or during runs. It
  // must outlive its attachment.
  void attach(HostId id, Host& host);
  void detach(HostId id);

  // A link between two free ports. One setting for both directions, or one for each.
  LinkId connect(Port a, Port b, const LinkSettings& both);
  LinkId connect(Port a, Port b, const LinkSettings& a_to_b, const LinkSettings& b_to_a);
  SimDoor& door(Port port);
  // Adds a filter beside end A, on the wire's side of those that are there. Returns it.
  template <typename F, typename... Args>
  F& add_filter(LinkId link, Args&&... args) {
    auto filter = std::make_unique<F>(std::forward<Args>(args)...);
    F& reference = *filter;
    links_.at(link)->filters.push_back(std::move(filter));
    return reference;
  }

  void set_link(LinkId link, Toward direction, const LinkSettings& settings);
  void set_link(LinkId link, const LinkSettings& both);
  void set_state(LinkId link, LinkState state);
  const LinkModel& model(LinkId link, Toward direction) const;

  // Runs `action` at `when` (now, when that is past).
  void at(Instant when, std::function<void()> action);
  void after(Duration delay, std::function<void()> action) { at(now_ + delay, std::move(action)); }

  Instant now() const { return now_; }
  // Until `done`, asked after each step, says so: true. False when `limit` from now has passed or
  // nothing is left that could ever happen. Throws std::runtime_error when time stands still.
  bool run_until(const std::function<bool()>& done, Duration limit);
  // Exactly this long.
  void run_for(Duration time);
  std::uint64_t steps() const { return steps_; }

  // Over every packet delivered to a host: when, to which port, which bytes.
  std::uint64_t trace_hash() const { return trace_hash_; }
  // Writes what this port sends and gets, as tcpdump there would; before joining.
  void capture(Port port, const std::string& path);
  // Called with every packet (as joined) just before its host gets it.
  using Listener = std::function<void(Port, const PacketIn&, Instant)>;
  void listen(Listener listener) { listener_ = std::move(listener); }
  // A generator of its own for whoever needs chance in this world; each call gives another.
  Random fork_random();

 private:
  struct Attachment {
    Port port;
    LinkId link;
    Toward outward;  // where its packets go
    std::unique_ptr<SimDoor> door;
    std::vector<Packet> inbox;
    std::unique_ptr<PcapWriter> capture;
  };
  struct Link {
    std::size_t end_a;  // index into attachments_
    std::size_t end_b;
    std::vector<std::unique_ptr<Filter>> filters;
    LinkModel to_a;
    LinkModel to_b;
    Carrier carrier = Carrier::kOn;
    LinkModel& model(Toward toward) { return toward == Toward::kA ? to_a : to_b; }
  };
  struct Resident {
    Host* host = nullptr;
    HostSettings settings;
    Random random;
    Instant wake_at = kNever;
    std::vector<std::size_t> attachments;
  };
  struct Action {
    Instant when;
    std::uint64_t order;
    std::function<void()> run;
  };
  class FilterOutput;

  std::size_t attach_port(Port port, LinkId link, Toward outward);
  std::size_t find(Port port) const;
  void pass(Link& link, std::size_t stage, Toward toward, Packet packet);
  void deliver(Attachment& attachment, Packet packet);
  Instant next_instant();
  Instant host_deadline(const Resident& resident);
  void step(Instant at);
  void run_actions();
  void run_links();
  void check_carrier(Link& link);
  void run_host(Resident& resident);
  void receive_all(Resident& resident, Attachment& attachment);
  void add_to_trace(Port port, Bytes packet);
  [[noreturn]] void report_standstill();

  Instant now_;
  Random random_;
  std::vector<std::unique_ptr<Attachment>> attachments_;
  std::vector<std::unique_ptr<Link>> links_;
  std::vector<Resident> residents_;
  std::vector<Action> actions_;  // a heap by (when, order)
  std::uint64_t next_order_ = 0;
  Listener listener_;
  std::uint64_t trace_hash_ = 0;
  std::uint64_t steps_ = 0;
};

}  // namespace braid::sim
