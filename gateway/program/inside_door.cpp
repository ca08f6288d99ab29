#include "gateway/program/inside_door.h"

#include "gateway/program/addresses.h"
#include "gateway/program/start.h"
#include "platform/links.h"

namespace braid::program {

namespace {
// Packets that may wait for us there. What hosts may send is bounded by the windows we announce, so
// a long queue delays nobody; a short one drops what hundreds of connections send in one moment.
constexpr std::uint32_t kQueue = 4096;

std::unique_ptr<platform::Tun> open_tun(const std::string& name) {
  auto tun = platform::Tun::open(name);
  const auto busy = [&] { return !tun && tun.error() == std::errc::device_or_resource_busy; };
  start::outlast_the_killed([&] {
    if (busy()) tun = platform::Tun::open(name);
    return !busy();
  });
  if (tun) return std::move(*tun);
  throw StartError(fmt::format("cannot create the TUN interface {}: {}{}", name,
                               tun.error().message(),
                               busy() ? "; does another braid run here? (tun: name)" : ""));
}

}  // namespace

InsideDoor::InsideDoor(platform::EventLoop& loop, platform::NetlinkSocket& netlink,
                       const gateway::TunConfig& config, gateway::Host& host)
    : loop_(loop), host_(host), tun_(open_tun(config.name)) {
  const auto link = platform::link_by_name(netlink, config.name);
  if (!link) throw StartError(fmt::format("{}: {}", config.name, link.error().message()));
  link_index_ = link->index;
  const std::string doing = fmt::format("cannot configure {}", config.name);
  require(platform::set_link_mtu(netlink, link_index_, config.mtu), doing);
  require(platform::set_link_queue(netlink, link_index_, kQueue), doing);
  require(platform::add_address(netlink, link_index_, to_platform(config.ipv4)), doing);
  require(platform::add_address(netlink, link_index_, to_platform(config.ipv6)), doing);
  require(platform::set_link_up(netlink, link_index_), doing);
  tun_->set_mtu(config.mtu);
  host_.set_door(gateway::kInside, tun_.get());
  platform::watch_device(
      loop_, *tun_,
      [this](const PacketIn& packet, Instant now) { host_.receive(gateway::kInside, packet, now); },
      [this](std::size_t bytes) { return host_.is_batch(bytes); },
      [this] { host_.door_opened(gateway::kInside); });
}

InsideDoor::~InsideDoor() {
  loop_.unwatch(tun_->fd());
  host_.set_door(gateway::kInside, nullptr);
}

}  // namespace braid::program
