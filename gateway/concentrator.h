// Concentrator: the whole far end of braid as one machine, a transport converter (RFC 8803).
//
// New connections are taken from `allow:` alone, and only with a Convert message in the SYN; joins
// are admitted by token and HMAC (DESIGN 6). Where it may connect to is TargetFilter's word.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "gateway/config.h"
#include "gateway/host.h"
#include "gateway/session.h"
#include "gateway/target_filter.h"

namespace braid::gateway {

// The outside door's number.
inline constexpr tcp::InterfaceId kOutside = 1;

class Concentrator final : public Host, public SessionOwner {
 public:
  Concentrator(const ConcentratorConfig& config, ip::Layer& ip, Random& random);
  ~Concentrator() override;

  // What the host says of itself: the addresses of the listening interface, and of all of them.
  void set_listen_addresses(const std::vector<wire::IpAddress>& addresses, std::uint32_t mtu);
  void set_own_addresses(std::vector<wire::InterfaceAddress> addresses);

  // Takes on what a running concentrator can of a newly read configuration: running sessions change
  // their scheduler at once, `allow:` is for new ones. Returns the keys that differ and need a new
  // start.
  std::vector<std::string> reconfigure(const ConcentratorConfig& fresh);

  // No new sessions from now on; joins to running ones still come in.
  void drain() { draining_ = Draining::kYes; }

  std::size_t active_sessions() const { return sessions_.size(); }
  const std::map<std::uint64_t, std::unique_ptr<Session>>& sessions() const { return sessions_; }
  struct Counters {
    std::uint64_t sessions = 0, infos = 0, bad_requests = 0, not_allowed = 0, not_convert = 0,
                  targets_refused = 0, over_limit = 0, replies_lacked_memory = 0;
  };
  const Counters& counters() const { return counters_; }

 private:
  void new_syn(tcp::InterfaceId interface, const wire::Segment& syn, Instant now) override;
  void overhear(tcp::InterfaceId, const wire::Segment&, Instant) override {}
  void tidy(Instant now) override;

  Host& host() override { return *this; }
  const ConcentratorConfig& config() const override { return config_; }
  const std::vector<mptcp::LocalPath>& listen_paths() const override { return listen_paths_; }
  std::optional<wire::Endpoint> allocate_inside(const wire::Endpoint& server) override;
  void server_settled(const wire::IpAddress& client) override;
  void reply_lacked_memory() override { ++counters_.replies_lacked_memory; }
  void session_done(std::uint64_t id) override { done_.push_back(id); }

  void serve(const convert::Request& request, const wire::Segment& syn, Bytes message, Instant now);
  Session& open_session(const wire::Segment& syn, std::uint32_t message_length, Instant now);
  bool is_allowed(const wire::IpAddress& client) const;
  mptcp::LocalPath path_to(const wire::Endpoint& local) const;

  ConcentratorConfig config_;
  TargetFilter filter_;
  std::vector<mptcp::LocalPath> listen_paths_;
  std::map<std::uint64_t, std::unique_ptr<Session>> sessions_;
  std::vector<std::uint64_t> done_;
  std::unordered_map<wire::IpAddress, std::uint32_t> pending_;  // sessions that wait for a server
  std::uint16_t next_port_;
  std::uint64_t next_id_ = 0;
  enum class Draining : std::uint8_t { kNo, kYes } draining_ = Draining::kNo;
  Counters counters_;
};

}  // namespace braid::gateway
