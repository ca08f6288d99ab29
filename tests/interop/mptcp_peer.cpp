// mptcp_peer: our MPTCP on real interfaces, straight against a peer; see options.h. Prints "ready",
// and at the end key=value lines. Exit: 0 all went as asked, 1 not, 2 it could not start.
#include <linux/rtnetlink.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>

#include "gateway/program/addresses.h"
#include "gateway/program/outside_door.h"
#include "gateway/program/start.h"
#include "platform/clock.h"
#include "platform/event_loop.h"
#include "platform/nft_plan.h"
#include "stack/ip/lwip_layer.h"
#include "tests/interop/peer_host.h"

namespace braid::interop {

namespace {

constexpr std::uint32_t kHeaderReserve = 40 + 60;  // of a super-packet, beside its payload
constexpr Duration kGoodbye = 200ms;               // for FINs and RSTs still under way

class Program {
 public:
  explicit Program(const Options& options)
      : options_(options),
        random_(program::start::random_key()),
        netlink_(program::start::netlink()),
        events_(program::start::netlink_events()),
        host_(options_, make_paths(), ip_, random_) {
    load_table();
    open_doors();
    watch_netlink();
    for (const int number : {SIGTERM, SIGINT}) {
      loop_.on_signal(number, [this](Instant) { loop_.stop(); });
    }
    loop_.on_flush([this](Instant now) { return flush(now); });
  }

  int run() {
    std::puts("ready");
    std::fflush(stdout);
    const Instant start = platform::clock_now();
    gives_up_ = start + options_.timeout;
    if (options_.connect) host_.connect(start);
    loop_.run();
    std::fputs(host_.report().c_str(), stdout);
    return host_.went_well() ? 0 : 1;
  }

 private:
  // Interfaces are numbered from 1 in the order they are first named.
  tcp::InterfaceId number_of(const std::string& interface) {
    const auto it = std::find(interfaces_.begin(), interfaces_.end(), interface);
    if (it == interfaces_.end()) {
      interfaces_.push_back(interface);
      return static_cast<tcp::InterfaceId>(interfaces_.size());
    }
    return static_cast<tcp::InterfaceId>(it - interfaces_.begin() + 1);
  }

  platform::Link link_of(const std::string& interface) {
    const auto link = platform::link_by_name(netlink_, interface);
    if (!link) throw program::StartError("no interface " + interface);
    return *link;
  }

  std::vector<mptcp::LocalPath> make_paths() {
    std::vector<mptcp::LocalPath> paths;
    for (const PathOption& option : options_.paths) {
      const platform::Link link = link_of(option.interface);
      paths.push_back({.interface = number_of(option.interface),
                       .address = option.address,
                       .address_id = static_cast<std::uint8_t>(paths.size() + 1),
                       .backup = option.backup,
                       .mtu = link.mtu,
                       .max_super_payload = std::min(link.gso_max_size, 65535U) - kHeaderReserve});
    }
    return paths;
  }

  platform::PortRange ports() const {
    if (options_.connect) return {kFirstPort, kLastPort};
    return {options_.port, options_.port};
  }

  void load_table() {
    platform::GatewayNftPlan plan;
    plan.uplinks = interfaces_;
    plan.local_ports = ports();
    plan.masquerade = platform::GatewayNftPlan::Masquerade::kNone;
    if (const auto problem = table_.load(platform::nft_text(plan))) {
      throw program::StartError("cannot load the nftables table: " + *problem);
    }
  }

  void open_doors() {
    for (const std::string& interface : interfaces_) {
      doors_.push_back(std::make_unique<program::OutsideDoor>(
          loop_, netlink_,
          program::OutsideDoor::Settings{.interface = interface,
                                         .number = number_of(interface),
                                         .local_ports = ports(),
                                         .peers = {},
                                         .gateways = {}},
          host_));
      doors_.back()->update({.link = link_of(interface), .addresses = {}});
      if (!doors_.back()->up()) throw program::StartError(interface + " is down");
    }
  }

  void watch_netlink() {
    loop_.watch(events_.fd(), [this](Instant now) {
      events_.drain({.message =
                         [this, now](const platform::NetlinkMessage& message) {
                           for (const auto& door : doors_) door->on_event(message, now);
                         },
                     .overrun =
                         [this] {
                           for (const auto& door : doors_) door->forget();
                         }});
    });
  }

  Instant flush(Instant now) {
    host_.flush(now);
    Instant next = host_.next_deadline();
    for (const auto& door : doors_) next = std::min(next, door->maintain(now));
    if (host_.done() && goodbye_ == kNever) goodbye_ = now + kGoodbye;
    if (now >= goodbye_ || now >= gives_up_) loop_.stop();
    return std::min({next, goodbye_, gives_up_});
  }

  const Options& options_;
  Random random_;
  platform::EventLoop loop_;
  platform::NetlinkSocket netlink_;
  platform::NetlinkEvents events_;
  std::vector<std::string> interfaces_;
  ip::LwipLayer ip_;
  PeerHost host_;
  platform::NftTable table_;
  std::vector<std::unique_ptr<program::OutsideDoor>> doors_;
  Instant gives_up_ = kNever;
  Instant goodbye_ = kNever;
};

}  // namespace

}  // namespace braid::interop

int main(int argc, char** argv) {
  using namespace braid;
  try {
    const interop::Options options =
        interop::parse_options(std::vector<std::string>(argv + 1, argv + argc));
    return interop::Program(options).run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mptcp_peer: %s\n", error.what());
    return 2;
  }
}
