// AppHost: an ordinary host of a simulated world: a TCP stack of its own and applications on it, as
// a LAN client or a server has. Nothing of the gateway is in it.
//
// An App is one connection: it sends a pattern of a given length, checks what it gets against
// another one, closes its sending direction when told to, may reset, may stop reading.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "stack/cc/factory.h"
#include "stack/ip/plain_layer.h"
#include "stack/tcp/layer.h"
#include "stack/tcp/pipe_stream.h"
#include "tests/support/roles/pattern.h"
#include "tests/support/sim/door.h"
#include "tests/support/sim/host.h"

namespace braid::sim {

class AppHost;

struct AppScript {
  std::uint64_t send_bytes = 0;
  std::uint64_t send_stream = 1;    // Pattern of what it sends
  std::uint64_t expect_stream = 2;  // Pattern of what it gets
  // When the sending direction ends: after its bytes, or after the peer's end as well.
  enum class Finish { kAfterSending, kAfterPeer, kNever } finish = Finish::kAfterSending;
  std::optional<std::uint64_t> reset_after;  // received bytes, then RST
  enum class Reading { kYes, kNo } reading = Reading::kYes;
};

class App : public Agenda::Entry {
 public:
  App(AppHost& host, AppScript script);

  void flush(Instant now);
  void set_reading(AppScript::Reading reading);
  void reset(Instant now);
  // So many bytes more than the script said; while its sending direction is open.
  void send_more(std::uint64_t bytes);

  bool established() const { return stream_.is_established(); }
  std::optional<tcp::CloseReason> closed() const { return stream_.close_reason(); }
  std::uint64_t received() const { return in_.released().value(); }
  bool peer_ended() const { return in_.complete() && in_.readable() == 0; }
  bool intact() const { return intact_; }
  std::optional<wire::IcmpError> icmp_error() const { return icmp_error_; }
  Instant established_at() const { return established_at_; }
  Instant ended_at() const { return ended_at_; }  // the peer's end was read, or the connection died
  tcp::PipeStream& stream() { return stream_; }
  const AppScript& script() const { return script_; }

 private:
  friend class AppHost;
  AppHost& host_;
  AppScript script_;
  Pipe in_;
  Pipe out_;
  tcp::PipeStream stream_;
  bool intact_ = true;
  std::optional<wire::IcmpError> icmp_error_;
  Instant established_at_ = kNever;
  Instant ended_at_ = kNever;
};

class AppHost final : public Host {
 public:
  AppHost(std::uint64_t seed, wire::IpAddress ipv4, wire::IpAddress ipv6, SimDoor& door);
  ~AppHost() override;

  // Accepts connections on a port with this script (made anew for each).
  void listen(std::uint16_t port, std::function<AppScript()> script);
  // The same, but the first SYN is answered by a SYN of this host's own: a simultaneous open.
  void listen_crossing(std::uint16_t port, std::function<AppScript()> script);
  // A listening port that never answers a SYN.
  void listen_silently(std::uint16_t port);
  App& connect(const wire::Endpoint& remote, AppScript script, Instant now,
               std::optional<std::uint16_t> local_port = std::nullopt);
  const std::vector<std::unique_ptr<App>>& apps() const { return apps_; }
  std::uint64_t syns_seen(std::uint16_t port) const;
  // Stops taking part: packets are dropped, nothing is sent (a host that vanished).
  void vanish() { vanished_ = true; }

  void receive(int interface, const PacketIn& packet, Instant now) override;
  void flush(Instant now) override;
  Instant next_deadline() override;

  ChunkPool& pool() { return pool_; }
  Agenda& agenda() { return agenda_; }
  tcp::Layer& tcp() { return tcp_; }

 private:
  class DoorExit final : public tcp::Exit {
   public:
    explicit DoorExit(SimDoor& door) : door_(door) {}
    bool ready(tcp::InterfaceId) const override { return door_.ready(); }
    void send(tcp::InterfaceId, const wire::Segment& segment) override;

   private:
    SimDoor& door_;
    std::uint16_t identification_ = 0;
  };
  void new_syn(const wire::Segment& syn, Instant now);
  void begin(App& app, tcp::Connection& connection);
  tcp::ConnectionConfig config() const;

  wire::IpAddress ipv4_;
  wire::IpAddress ipv6_;
  SimDoor& door_;
  Random random_;
  ChunkPool pool_;
  Agenda agenda_;
  ip::PlainLayer ip_;
  DoorExit exit_;
  std::map<std::uint16_t, std::function<AppScript()>> listeners_;
  std::set<std::uint16_t> crossing_;
  std::map<std::uint16_t, std::uint64_t> syns_seen_;
  std::vector<std::unique_ptr<App>> apps_;
  tcp::Layer tcp_;  // after the apps: it dies first and calls their streams no more
  std::uint16_t next_port_ = 40000;
  bool vanished_ = false;
};

}  // namespace braid::sim
