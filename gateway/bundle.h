// Bundle: what flow and session have in common: how deep a relay's pipes begin, and the settings of
// the MPTCP connection between them.
#pragma once

#include "gateway/config.h"
#include "stack/mptcp/connection.h"

namespace braid::gateway {

// What a pipe may hold at first, bytes; delivery makes it grow.
inline constexpr std::uint64_t kInitialCapacity = 64 * 1024;

// Another subflow is worth its join when so much has passed, bytes: a little more than a peer sends
// before it has heard from us (RFC 6928).
inline constexpr std::uint64_t kJoinAfter = 15'000;

// `keepalive`: an idle subflow is asked for its peer this often.
inline mptcp::ConnectionConfig bundle_config(const CommonConfig& config, Duration keepalive) {
  mptcp::ConnectionConfig bundle;
  bundle.algorithm = config.congestion_control;
  bundle.policy = config.scheduler;
  bundle.keepalive = keepalive;
  bundle.join_after = kJoinAfter;
  if (config.dss_checksums == CommonConfig::DssChecksums::kRequired) {
    bundle.checksums = mptcp::Checksums::kRequired;
  }
  return bundle;
}

}  // namespace braid::gateway
