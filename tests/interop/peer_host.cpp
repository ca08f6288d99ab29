#include "tests/interop/peer_host.h"

#include <algorithm>

#include "stack/base/ensure.h"

namespace braid::interop {

namespace {
constexpr std::uint64_t kMemory = 64 * 1024 * 1024;  // bytes
constexpr std::uint32_t kPorts = kLastPort - kFirstPort + 1;
}  // namespace

PeerHost::PeerHost(const Options& options, std::vector<mptcp::LocalPath> paths, ip::Layer& ip,
                   Random& random)
    : Host(ip, random, kMemory),
      options_(options),
      all_(std::move(paths)),
      present_(all_),
      next_port_(random.below(kPorts)) {
  for (const mptcp::LocalPath& path : all_) {
    set_door(path.interface, nullptr);
    // A client shares its addresses with the kernel; a listener owns its port.
    if (options.connect) tcp().set_stray(path.interface, tcp::Layer::Stray::kIgnore);
  }
}

void PeerHost::connect(Instant now) {
  const auto port = allocate_port(all_.front(), *options_.connect);
  ENSURE(port);
  exchanges_.push_back(std::make_unique<Exchange>(*this, *this, options_));
  exchanges_.back()->connect(all_.front(), *port, now);
}

void PeerHost::new_syn(tcp::InterfaceId interface, const wire::Segment& syn, Instant now) {
  if (options_.connect || syn.destination.port != options_.port) return;
  mptcp::LocalPath path{.interface = interface, .address = syn.destination.address};
  for (const mptcp::LocalPath& known : all_) {
    if (known.interface == interface) path = known;
  }
  // A kernel client may reach any address of ours over any interface.
  path.interface = interface;
  path.address = syn.destination.address;
  for (const mptcp::LocalPath& known : all_) {
    if (known.address == path.address) path.address_id = known.address_id;
  }
  if (syn.options.find<wire::MpJoinSyn>() != nullptr) {
    mptcp().receive_join(interface, syn, path, now);
    return;
  }
  if (exchanges_.size() == options_.connections) return tcp().refuse(interface, syn);
  exchanges_.push_back(std::make_unique<Exchange>(*this, *this, options_));
  exchanges_.back()->accept(interface, syn, path, now);
}

void PeerHost::tidy(Instant) {
  for (const auto& exchange : exchanges_) exchange->sample();
}

std::optional<std::uint16_t> PeerHost::allocate_port(const mptcp::LocalPath& path,
                                                     const wire::Endpoint& remote) {
  for (std::uint32_t tries = 0; tries < kPorts; ++tries) {
    const auto port = static_cast<std::uint16_t>(kFirstPort + next_port_);
    next_port_ = (next_port_ + 1) % kPorts;
    if (tcp().find({path.interface, {path.address, port}, remote}) == nullptr) return port;
  }
  return std::nullopt;
}

void PeerHost::remove_path(std::size_t number) {
  std::erase_if(present_, [&](const mptcp::LocalPath& path) {
    return path.address == all_.at(number - 1).address;
  });
}

bool PeerHost::done() const {
  return exchanges_.size() == options_.connections &&
         std::all_of(exchanges_.begin(), exchanges_.end(), [](const auto& e) { return e->done(); });
}

bool PeerHost::went_well() const {
  return done() && std::all_of(exchanges_.begin(), exchanges_.end(),
                               [](const auto& e) { return e->went_well(); });
}

std::string PeerHost::report() const {
  std::string out;
  for (const auto& exchange : exchanges_) out += exchange->report();
  return out;
}

}  // namespace braid::interop
