#include "gateway/concentrator.h"

#include <algorithm>

#include "gateway/config_change.h"
#include "stack/convert/server.h"

namespace braid::gateway {

namespace {

// Inside ports: everything above the well-known ones; the inside addresses are ours alone.
constexpr std::uint16_t kFirstInsidePort = 1024;
constexpr std::uint32_t kInsidePorts = 65536 - kFirstInsidePort;

// The kernel sends an address one ICMP error a second (icmp_ratelimit): with a single inside
// address a client would wait for the truth about its server because another has just heard it
// about his.
constexpr std::uint32_t kMostInsideAddresses = 60;

// How many addresses follow the kernel's end of the TUN in its network; one at least, which needs
// not lie in it.
std::uint32_t inside_addresses(const wire::InterfaceAddress& tun) {
  const std::uint32_t bits = (tun.address.is_v4() ? 32U : 128U) - tun.prefix_length;
  if (bits > 7) return kMostInsideAddresses;
  const std::uint32_t size = 1U << bits;
  const std::uint32_t place = tun.address.bytes().back() % size;
  const std::uint32_t last = tun.address.is_v4() && size > 2 ? size - 2 : size - 1;  // broadcast
  return std::clamp(last > place ? last - place : 0U, 1U, kMostInsideAddresses);
}

// The n-th address after the kernel's end, from 1: ours.
wire::IpAddress inside_address(const wire::IpAddress& kernel_end, std::uint32_t n) {
  std::vector<std::uint8_t> bytes(kernel_end.bytes().begin(), kernel_end.bytes().end());
  for (std::size_t i = bytes.size(); i-- > 0 && n > 0;) {
    n += bytes[i];
    bytes[i] = static_cast<std::uint8_t>(n);
    n >>= 8;
  }
  return wire::IpAddress::from_bytes(bytes);
}

template <typename... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <class... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;  // clang 14 does not find it by itself

}  // namespace

Concentrator::Concentrator(const ConcentratorConfig& config, ip::Layer& ip, Random& random)
    : Host(ip, random, config.memory_bytes),
      config_(config),
      filter_(config.private_targets),
      next_port_(static_cast<std::uint16_t>(random.below(kInsidePorts))) {
  set_door(kOutside, nullptr);
}

Concentrator::~Concentrator() = default;

void Concentrator::set_listen_addresses(const std::vector<wire::IpAddress>& addresses,
                                        std::uint32_t mtu) {
  listen_paths_.clear();
  std::uint8_t id = 0;
  for (const wire::IpAddress& address : addresses) {
    listen_paths_.push_back(
        {.interface = kOutside, .address = address, .address_id = ++id, .mtu = mtu});
  }
}

void Concentrator::set_own_addresses(std::vector<wire::InterfaceAddress> addresses) {
  // Ours on the TUN are addresses of this host too.
  for (const wire::InterfaceAddress& tun : {config_.tun.ipv4, config_.tun.ipv6}) {
    const std::uint8_t host = tun.address.is_v4() ? 32 : 128;
    for (std::uint32_t n = 1; n <= inside_addresses(tun); ++n) {
      addresses.push_back({inside_address(tun.address, n), host});
    }
  }
  filter_.set_own_addresses(std::move(addresses));
}

std::vector<std::string> Concentrator::reconfigure(const ConcentratorConfig& fresh) {
  std::vector<std::string> fixed = take_over(config_, fresh);
  filter_.set_private_targets(config_.private_targets);
  for (const auto& [id, session] : sessions_) session->reconfigured();
  return fixed;
}

mptcp::LocalPath Concentrator::path_to(const wire::Endpoint& local) const {
  mptcp::LocalPath found{.interface = kOutside, .address = local.address, .address_id = 0};
  for (const mptcp::LocalPath& path : listen_paths_) {
    if (path.address == local.address) found = path;
  }
  found.max_super_payload = max_super_payload(kOutside);
  return found;
}

void Concentrator::new_syn(tcp::InterfaceId interface, const wire::Segment& syn, Instant now) {
  if (interface != kOutside || syn.destination.port != config_.listen_port) return;
  if (syn.options.find<wire::MpJoinSyn>() != nullptr) {
    mptcp().receive_join(interface, syn, path_to(syn.destination), now);
    return;
  }
  if (!is_allowed(syn.source.address)) {
    ++counters_.not_allowed;
    return;
  }
  if (draining_ == Draining::kYes) return tcp().refuse(kOutside, syn);
  const std::vector<std::uint8_t> payload = syn.payload.to_vector();
  serve(convert::read_request(payload), syn, payload, now);
}

void Concentrator::serve(const convert::Request& request, const wire::Segment& syn, Bytes message,
                         Instant now) {
  const auto connect = [&](const convert::ConnectRequest& wish) {
    ++counters_.sessions;
    const auto pending = pending_.find(syn.source.address);
    if (pending != pending_.end() && pending->second >= config_.max_pending_per_client) {
      ++counters_.over_limit;
      open_session(syn, wish.length, now)
          .reply_and_close(convert::error_reply(wire::ConvertErrorCode::kResourceExceeded, 1), now);
      return;
    }
    const TargetFilter::Verdict verdict = filter_.judge(wish.target);
    Session& session = open_session(syn, wish.length, now);
    if (verdict == TargetFilter::Verdict::kAllowed) return session.connect(wish, now);
    ++counters_.targets_refused;
    session.reply_and_close(verdict == TargetFilter::Verdict::kMalformed
                                ? convert::malformed_reply(message)
                                : convert::error_reply(wire::ConvertErrorCode::kNotAuthorized, 0),
                            now);
  };
  std::visit(Overloaded{
                 [&](const convert::NotConvert&) { ++counters_.not_convert; },
                 [&](const convert::Unanswerable&) {
                   ++counters_.bad_requests;
                   tcp().refuse(kOutside, syn);
                 },
                 connect,
                 [&](const convert::InfoRequest& info) {
                   ++counters_.infos;
                   open_session(syn, info.length, now).reply_and_close(convert::info_reply(), now);
                 },
                 [&](const convert::BadRequest& bad) {
                   ++counters_.bad_requests;
                   open_session(syn, bad.length, now).reply_and_close(bad.reply, now);
                 },
             },
             request);
}

Session& Concentrator::open_session(const wire::Segment& syn, std::uint32_t message_length,
                                    Instant now) {
  const std::uint64_t id = next_id_++;
  ++pending_[syn.source.address];
  auto session = std::make_unique<Session>(*this, id, kOutside, syn, message_length,
                                           path_to(syn.destination), now);
  return *sessions_.emplace(id, std::move(session)).first->second;
}

bool Concentrator::is_allowed(const wire::IpAddress& client) const {
  return std::any_of(config_.allow.begin(), config_.allow.end(),
                     [&](const wire::Prefix& p) { return p.contains(client); });
}

void Concentrator::server_settled(const wire::IpAddress& client) {
  const auto found = pending_.find(client);
  ENSURE(found != pending_.end());
  if (--found->second == 0) pending_.erase(found);
}

std::optional<wire::Endpoint> Concentrator::allocate_inside(const wire::Endpoint& server) {
  const wire::InterfaceAddress& tun = server.address.is_v4() ? config_.tun.ipv4 : config_.tun.ipv6;
  const std::uint32_t addresses = inside_addresses(tun);
  for (std::uint32_t tries = 0; tries < kInsidePorts; ++tries) {
    const auto port = static_cast<std::uint16_t>(kFirstInsidePort + next_port_);
    next_port_ = static_cast<std::uint16_t>((next_port_ + 1) % kInsidePorts);
    const wire::Endpoint inside{inside_address(tun.address, 1 + port % addresses), port};
    if (tcp().find({kInside, inside, server}) == nullptr) return inside;
  }
  return std::nullopt;
}

void Concentrator::tidy(Instant) {
  for (const std::uint64_t id : done_) sessions_.erase(id);
  done_.clear();
}

}  // namespace braid::gateway
