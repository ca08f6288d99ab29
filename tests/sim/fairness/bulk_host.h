// BulkHost: a host whose connections always have something to send, or take whatever comes: plain
// TCP or MPTCP, each with a congestion controller of its own. What it carries are zeros; whether
// streams arrive intact is other tests' business, how fast they do is this one's.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "stack/cc/factory.h"
#include "stack/ip/plain_layer.h"
#include "stack/mptcp/layer.h"
#include "stack/tcp/pipe_stream.h"
#include "tests/support/sim/door.h"
#include "tests/support/sim/host.h"

namespace braid::sim {

class BulkHost;

// One connection: the sending end of a user, or the receiving end at the server.
class BulkFlow final : public Agenda::Entry, public mptcp::LocalPaths {
 public:
  enum class Role : std::uint8_t { kSends, kReceives };

  BulkFlow(BulkHost& host, Role role);
  ~BulkFlow() override;

  void flush(Instant now);
  std::uint64_t received() const { return in_.released().value(); }
  const mptcp::Connection* mptcp() const { return mptcp_.get(); }

  std::span<const mptcp::LocalPath> paths() const override { return paths_; }
  std::optional<std::uint16_t> allocate_port(const mptcp::LocalPath&,
                                             const wire::Endpoint&) override;

 private:
  friend class BulkHost;
  BulkHost& host_;
  Role role_;
  Pipe in_;
  Pipe out_;
  tcp::PipeStream stream_;
  std::unique_ptr<mptcp::Connection> mptcp_;
  std::vector<mptcp::LocalPath> paths_;
};

class BulkHost final : public Host {
 public:
  static constexpr std::uint16_t kPort = 5001;

  explicit BulkHost(std::uint64_t seed);
  ~BulkHost() override;

  // The host's end of a link; a packet to the server of `address` may leave by any.
  void add_door(tcp::InterfaceId interface, SimDoor& door, const wire::IpAddress& address);

  // Begins to send to `server` over these interfaces; one interface and kPlain: an ordinary TCP.
  enum class Kind : std::uint8_t { kPlain, kMultipath };
  BulkFlow& send_to(const wire::IpAddress& server, Kind kind, cc::Algorithm algorithm,
                    const std::vector<tcp::InterfaceId>& interfaces, Instant now);
  // Takes every connection to kPort from now on.
  void serve() { serving_ = true; }
  // The flow that came from this address first; nullptr: none did.
  const BulkFlow* flow_from(const wire::IpAddress& address) const;
  // Bytes of all that came from it.
  std::uint64_t received_from(const wire::IpAddress& address) const;

  void receive(int interface, const PacketIn& packet, Instant now) override;
  void flush(Instant now) override;
  Instant next_deadline() override;

 private:
  friend class BulkFlow;
  struct Attached {
    SimDoor* door = nullptr;
    wire::IpAddress address;
  };
  class Doors final : public tcp::Exit {
   public:
    explicit Doors(const std::map<tcp::InterfaceId, Attached>& attached) : attached_(attached) {}
    bool ready(tcp::InterfaceId interface) const override;
    void send(tcp::InterfaceId interface, const wire::Segment& segment) override;

   private:
    const std::map<tcp::InterfaceId, Attached>& attached_;
    std::uint16_t identification_ = 0;
  };

  void new_syn(tcp::InterfaceId interface, const wire::Segment& syn, Instant now);
  tcp::ConnectionConfig tcp_config(cc::Algorithm algorithm) const;
  mptcp::LocalPath path(tcp::InterfaceId interface) const;

  Random random_;
  ChunkPool pool_;
  Agenda agenda_;
  ip::PlainLayer ip_;
  std::map<tcp::InterfaceId, Attached> doors_;
  Doors exit_;
  tcp::Layer tcp_;
  mptcp::Layer mptcp_;
  std::vector<std::unique_ptr<BulkFlow>> flows_;  // they end before the layers do
  std::multimap<wire::IpAddress, BulkFlow*> by_peer_;
  std::uint16_t next_port_ = 40000;
  bool serving_ = false;
};

}  // namespace braid::sim
