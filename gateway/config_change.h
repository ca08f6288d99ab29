// What of a newly read configuration a running role takes on, and what only a new start can.
//
// take_over() copies the former into `running` and answers with the keys of the latter that differ,
// as a person wrote them; these keep their value.
#pragma once

#include <string>
#include <vector>

#include "gateway/config.h"

namespace braid::gateway {

// Takes on: scheduler, congestion_control, dss_checksums, log, overflow, and per uplink (found by
// its name) congestion_control, cost and rate.
std::vector<std::string> take_over(GatewayConfig& running, const GatewayConfig& fresh);
// Takes on: scheduler, congestion_control, dss_checksums, log, allow, targets and
// max_pending_per_client.
std::vector<std::string> take_over(ConcentratorConfig& running, const ConcentratorConfig& fresh);

}  // namespace braid::gateway
