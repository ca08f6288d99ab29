#include "gateway/program/outside_door.h"

#include <utility>

#include "gateway/program/addresses.h"
#include "platform/log.h"

namespace braid::program {

OutsideDoor::OutsideDoor(platform::EventLoop& loop, platform::NetlinkSocket& netlink,
                         Settings settings, gateway::Host& host)
    : loop_(loop), netlink_(netlink), settings_(std::move(settings)), host_(host) {}

OutsideDoor::~OutsideDoor() { close_socket(); }

void OutsideDoor::update(const platform::LinkState& state) {
  const std::optional<platform::Link> before = std::exchange(link_, state.link);
  addresses_.clear();
  for (const platform::LinkAddress& a : state.addresses) addresses_.push_back(to_wire(a.prefix));

  const bool same_link =
      before && link_ && before->index == link_->index && before->kind == link_->kind;
  if (!same_link) close_socket();
  if (socket_ && link_ != before) {  // also when it is down now: nobody is to be looked for
    socket_->set_link(*link_);
    next_hops_->set_link(*link_);
  }
  if (!socket_ && link_ && link_->up && link_->known_kind) open_socket();
}

void OutsideDoor::open_socket() {
  next_hops_ = std::make_unique<platform::NextHops>(
      platform::kernel_of_link(netlink_, link_->index), *link_, settings_.gateways);
  const platform::PacketFilter filter{
      .link = link_->kind, .local_ports = settings_.local_ports, .peers = settings_.peers};
  auto socket = platform::PacketSocket::open(*link_, filter, *next_hops_);
  if (!socket) {
    platform::log_error("{}: cannot open a packet socket: {}", settings_.interface,
                        socket.error().message());
    next_hops_.reset();
    return;
  }
  socket_ = std::move(*socket);
  host_.set_door(settings_.number, socket_.get());
  platform::watch_device(
      loop_, *socket_,
      [this](const PacketIn& packet, Instant now) { host_.receive(settings_.number, packet, now); },
      [this](std::size_t bytes) { return host_.is_batch(bytes); },
      [this] { host_.door_opened(settings_.number); });
  host_.door_opened(settings_.number);
}

void OutsideDoor::close_socket() {
  if (!socket_) return;
  loop_.unwatch(socket_->fd());
  host_.set_door(settings_.number, nullptr);
  host_.door_opened(settings_.number);
  socket_.reset();
  next_hops_.reset();
}

void OutsideDoor::on_event(const platform::NetlinkMessage& message, Instant now) {
  if (next_hops_) next_hops_->on_event(message, now);
}

void OutsideDoor::forget() {
  if (next_hops_) next_hops_->forget();
}

Instant OutsideDoor::maintain(Instant now) {
  return next_hops_ ? next_hops_->maintain(now) : kNever;
}

std::optional<platform::RouteHop> OutsideDoor::default_hop(int family) {
  return next_hops_ ? next_hops_->default_hop(family) : std::nullopt;
}

std::optional<wire::IpAddress> OutsideDoor::address(wire::Family family) const {
  for (const wire::InterfaceAddress& p : addresses_) {
    if (p.address.family() == family) return p.address;
  }
  return std::nullopt;
}

}  // namespace braid::program
