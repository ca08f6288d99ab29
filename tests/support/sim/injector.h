// Injector: puts packets into a link at given instants, and keeps what comes back for the strangers
// they came from. Other packets pass untouched.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "tests/support/sim/filter.h"
#include "tests/support/sim/packet_view.h"

namespace braid::sim {

class Injector final : public Filter {
 public:
  // Packets to this address end here.
  void take_in(const wire::IpAddress& stranger) { strangers_.insert(stranger); }
  // Leaves in this direction at `at`; those of one instant in the order they were given.
  void add(Instant at, Toward toward, Packet packet) {
    waiting_.emplace(at, Waiting{toward, std::move(packet)});
  }
  const std::vector<Packet>& taken() const { return taken_; }

  void pass(Packet packet, Toward toward, Instant /*now*/, Output& out) override {
    const auto view = PacketView::of(packet);
    if (view && strangers_.contains(view->destination())) {
      taken_.push_back(std::move(packet));
    } else {
      out.emit(toward, std::move(packet));
    }
  }
  Instant next_deadline() override { return waiting_.empty() ? kNever : waiting_.begin()->first; }
  void flush(Instant now, Output& out) override {
    while (!waiting_.empty() && waiting_.begin()->first <= now) {
      Waiting next = std::move(waiting_.begin()->second);
      waiting_.erase(waiting_.begin());
      out.emit(next.toward, std::move(next.packet));
    }
  }

 private:
  struct Waiting {
    Toward toward;
    Packet packet;
  };
  std::set<wire::IpAddress> strangers_;
  std::multimap<Instant, Waiting> waiting_;
  std::vector<Packet> taken_;
};

}  // namespace braid::sim
