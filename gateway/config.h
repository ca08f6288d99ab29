// Configuration: what a YAML file may say, checked whole before anything starts.
//
// One struct per role; every member carries its default. Loading throws ConfigError only, with
// file, line, column, key and what was expected. configs/reference lists every key; a test loads
// it.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "stack/base/rate.h"
#include "stack/base/time.h"
#include "stack/cc/factory.h"
#include "stack/sched/overflow_gate.h"
#include "stack/sched/scheduler.h"
#include "stack/wire/ip_address.h"

namespace braid::gateway {

class ConfigError : public std::runtime_error {
 public:
  // Line and column count from 1; 0: the file as a whole.
  ConfigError(std::string file, int line, int column, std::string key, std::string expected);
};

inline constexpr std::uint16_t kDefaultPort = 8803;

// The inside door, both roles.
struct TunConfig {
  std::string name = "braid0";
  wire::InterfaceAddress ipv4;  // the kernel's end; the loader sets each role's defaults
  wire::InterfaceAddress ipv6;
  std::uint32_t mtu = 1500;  // bytes
  bool operator==(const TunConfig&) const = default;
};

struct CommonConfig {
  TunConfig tun;
  std::uint64_t memory_bytes = 256ULL << 20;                        // of all pipes together
  cc::Algorithm congestion_control = cc::Algorithm::kCoupledCubic;  // of MPTCP subflows
  sched::Policy scheduler = sched::Policy::kMinRtt;
  // DSS checksums (RFC 8684 M26): costly, and a guard against boxes that change payload.
  enum class DssChecksums : std::uint8_t { kWhenAsked, kRequired };
  DssChecksums dss_checksums = DssChecksums::kWhenAsked;
  enum class LogLevel : std::uint8_t { kError, kWarning, kInfo, kDebug } log = LogLevel::kInfo;
};

struct UplinkConfig {
  std::string name;
  std::string interface;
  std::optional<wire::IpAddress> gateway_v4;  // next hop, when no route of the device names one
  std::optional<wire::IpAddress> gateway_v6;
  enum class Use : std::uint8_t { kRegular, kBackup } use = Use::kRegular;
  std::optional<cc::Algorithm> congestion_control;  // of its subflows, when not the common one
  std::uint32_t cost = 1;                           // of a byte, in no particular unit
  Rate rate_up, rate_down;                          // what it can carry; zero: as measured
  bool operator==(const UplinkConfig&) const = default;
};

struct GatewayConfig : CommonConfig {
  std::vector<std::string> lan_interfaces;
  enum class Capture : std::uint8_t { kForwarded, kLocal } capture = Capture::kForwarded;
  std::vector<UplinkConfig> uplinks;
  std::optional<wire::IpAddress> concentrator_v4;  // at least one of the two is set
  std::optional<wire::IpAddress> concentrator_v6;
  std::uint16_t concentrator_port = kDefaultPort;
  std::uint16_t first_port = 61000;  // local ports of subflows, both included
  std::uint16_t last_port = 64999;
  Duration nat_timeout = 110s;  // NATs on the way keep an idle flow at least so long
  enum class OtherTraffic : std::uint8_t { kFollow, kLeaveAlone };
  OtherTraffic other_traffic = OtherTraffic::kFollow;
  sched::OverflowGate::Settings overflow;  // of the scheduler of that name
};

struct ConcentratorConfig : CommonConfig {
  std::string listen_interface;
  std::uint16_t listen_port = kDefaultPort;
  std::vector<wire::Prefix> allow;  // sources of new connections; nobody by default
  enum class PrivateTargets : std::uint8_t {
    kRefuse,
    kServe
  } private_targets = PrivateTargets::kRefuse;
  std::uint32_t max_pending_per_client = 256;  // RFC 8803 C53
};

// Throws ConfigError. `load_*` read a file; `parse_*` take its text, `file` naming it in messages.
GatewayConfig load_gateway_config(const std::string& path);
GatewayConfig parse_gateway_config(const std::string& text, const std::string& file);
ConcentratorConfig load_concentrator_config(const std::string& path);
ConcentratorConfig parse_concentrator_config(const std::string& text, const std::string& file);

// For `braid check`: which role a file is for, by its keys ("uplinks" or "listen").
enum class Role : std::uint8_t { kGateway, kConcentrator };
Role role_of(const std::string& text, const std::string& file);

}  // namespace braid::gateway
