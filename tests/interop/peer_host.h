// PeerHost: the host machine of the interop program: MPTCP straight to a peer, no Convert.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/host.h"
#include "stack/mptcp/paths.h"
#include "tests/interop/exchange.h"
#include "tests/interop/options.h"

namespace braid::interop {

// Our ports as a client: the kernel is told to keep quiet about them.
inline constexpr std::uint16_t kFirstPort = 61000, kLastPort = 61099;

class PeerHost final : public gateway::Host, public mptcp::LocalPaths, public StepHost {
 public:
  // `paths`: one for each of options.paths, address ids set.
  PeerHost(const Options& options, std::vector<mptcp::LocalPath> paths, ip::Layer& ip,
           Random& random);

  void connect(Instant now);  // client
  bool done() const;          // everything asked for has come to its end
  bool went_well() const;
  std::string report() const;

  // mptcp::LocalPaths and StepHost, for the exchanges.
  std::span<const mptcp::LocalPath> paths() const override { return present_; }
  std::optional<std::uint16_t> allocate_port(const mptcp::LocalPath& path,
                                             const wire::Endpoint& remote) override;
  mptcp::LocalPath& path(std::size_t number) override { return all_.at(number - 1); }
  void remove_path(std::size_t number) override;
  mptcp::LocalPaths* joinable_paths() override { return options_.connect ? this : nullptr; }

 protected:
  void new_syn(tcp::InterfaceId interface, const wire::Segment& syn, Instant now) override;
  void overhear(tcp::InterfaceId, const wire::Segment&, Instant) override {}
  void tidy(Instant now) override;

 private:
  const Options& options_;
  std::vector<mptcp::LocalPath> all_;
  std::vector<mptcp::LocalPath> present_;
  std::uint32_t next_port_;
  std::vector<std::unique_ptr<Exchange>> exchanges_;
};

}  // namespace braid::interop
