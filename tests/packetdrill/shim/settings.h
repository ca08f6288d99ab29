// Settings: what the host around the test says, read anew whenever it matters
// (packetdrill-shim 2.3): the sysctls and the MPTCP endpoints and limits of the network namespace
// the test runs in. Scripts change them with real commands; what cannot be read has the value a
// fresh kernel has.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stack/base/time.h"
#include "stack/wire/ip_address.h"

namespace braid::pd {

struct MptcpEndpoint {
  wire::IpAddress address;
  std::uint8_t id = 0;
  std::uint16_t port = 0;  // 0: that of the connection
  bool signal = false, subflow = false, backup = false;
};

struct Settings {
  bool timestamps = true, sack = true, window_scaling = true;
  int ecn = 2;
  std::uint32_t fastopen = 1;  // the kernel's bits, see FastOpen
  std::string fastopen_key;    // "a1a1a1a1-..."; empty: none set
  std::string congestion_control = "cubic";
  std::uint64_t rmem_default = 131072, rmem_max = 6291456;
  std::uint64_t wmem_default = 16384, wmem_max = 4194304;
  std::uint32_t syn_retries = 6, synack_retries = 5, syn_linear_timeouts = 0;
  std::uint32_t keepalive_time_s = 7200;
  std::uint32_t notsent_lowat = UINT32_MAX;
  bool slow_start_after_idle = true;
  std::uint32_t min_tso_segments = 2;  // of a train, see Offload

  bool mptcp_enabled = true, mptcp_checksums = false, mptcp_joins_denied = false;
  std::uint32_t mptcp_close_timeout_s = 60;
  std::uint32_t mptcp_syn_retries = 2, mptcp_blackhole_timeout_s = 3600;
  std::uint32_t mptcp_subflow_limit = 2, mptcp_add_addr_limit = 0;
  std::vector<MptcpEndpoint> endpoints;
};

// The sysctls only: a few small files.
Settings read_sysctls();
// The same wherever a test runs: what the public scripts' own preparation sets up (their sysctls,
// and limits of eight subflows and addresses).
Settings standard_settings();
// The endpoints and limits, too, by asking `ip`. Slow: some milliseconds of real time.
void read_mptcp_settings(Settings& settings);

// The scale of our windows that a kernel with this much receive memory would announce.
std::uint8_t window_scale_for(std::uint64_t receive_memory);

}  // namespace braid::pd
