#include "gateway/config.h"

#include <fstream>
#include <sstream>

#include "gateway/config_reader.h"
#include "gateway/config_values.h"

namespace braid::gateway {

using namespace values;

namespace {

std::optional<Duration> nat_timeout(const std::string& text) {
  const std::optional<Duration> time = duration(text);
  return time && *time >= 10s ? time : std::nullopt;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw ConfigError(path, 0, 0, "", "cannot be read");
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

YAML::Node parse_yaml(const std::string& text, const std::string& file) {
  try {
    YAML::Node root = YAML::Load(text);
    if (!root.IsMap()) throw ConfigError(file, 1, 1, "", "expected a mapping of keys to values");
    return root;
  } catch (const YAML::Exception& e) {
    throw ConfigError(file, e.mark.line + 1, e.mark.column + 1, "", "not YAML: " + e.msg);
  }
}

void read_tun(ConfigReader reader, TunConfig& tun) {
  if (auto name = reader.get<std::string>("name", kInterfaceExpected, interface_name))
    tun.name = *name;
  const auto address = [](const std::string& text) { return wire::InterfaceAddress::parse(text); };
  if (auto p = reader.get<wire::InterfaceAddress>("ipv4", "expected an address like 198.18.0.1/30",
                                                  address)) {
    if (!p->address.is_v4() || p->prefix_length > 30)
      reader.fail("ipv4", "expected an IPv4 address with at most /30");
    tun.ipv4 = *p;
  }
  if (auto p = reader.get<wire::InterfaceAddress>(
          "ipv6", "expected an address like fd62:7261:6964::1/64", address)) {
    if (p->address.is_v4() || p->prefix_length > 126)
      reader.fail("ipv6", "expected an IPv6 address with at most /126");
    tun.ipv6 = *p;
  }
  if (auto mtu = reader.get<std::uint32_t>("mtu", "expected bytes from 1280 to 65535",
                                           number<std::uint32_t, 1280, 65535>)) {
    tun.mtu = *mtu;
  }
  reader.finish();
}

std::optional<cc::Algorithm> read_algorithm(ConfigReader& reader) {
  return reader.get<cc::Algorithm>(
      "congestion_control", expected_names(cc::algorithm_names()),
      [](const std::string& text) { return cc::algorithm_by_name(text); });
}

void read_common(ConfigReader& top, CommonConfig& config) {
  read_tun(top.section("tun"), config.tun);
  if (auto bytes = top.get<std::uint64_t>("memory", "expected a size like 256MiB", byte_size)) {
    config.memory_bytes = *bytes;
  }
  if (auto algorithm = read_algorithm(top)) config.congestion_control = *algorithm;
  if (auto policy = top.get<sched::Policy>(
          "scheduler", expected_names(sched::policy_names()),
          [](const std::string& text) { return sched::policy_by_name(text); })) {
    config.scheduler = *policy;
  }
  using Checksums = CommonConfig::DssChecksums;
  if (auto checksums =
          top.get<Checksums>("dss_checksums", "expected when_asked or required",
                             one_of<Checksums>({{"when_asked", Checksums::kWhenAsked},
                                                {"required", Checksums::kRequired}}))) {
    config.dss_checksums = *checksums;
  }
  using Level = CommonConfig::LogLevel;
  if (auto level = top.get<Level>("log", "expected one of: error, warning, info, debug",
                                  one_of<Level>({{"error", Level::kError},
                                                 {"warning", Level::kWarning},
                                                 {"info", Level::kInfo},
                                                 {"debug", Level::kDebug}}))) {
    config.log = *level;
  }
}

UplinkConfig read_uplink(ConfigReader& reader) {
  UplinkConfig uplink;
  auto interface = reader.get<std::string>("interface", kInterfaceExpected, interface_name);
  if (!interface) reader.fail("interface", "is missing: every uplink needs one");
  uplink.interface = *interface;
  uplink.name = reader.get<std::string>("name", kInterfaceExpected, interface_name)
                    .value_or(uplink.interface);
  const auto gateways = reader.get_list<wire::IpAddress>(
      "gateway", "expected an IP address, or a list of one per family",
      [](const std::string& text) { return wire::IpAddress::parse(text); });
  for (const wire::IpAddress& g : gateways.value_or(std::vector<wire::IpAddress>{})) {
    (g.is_v4() ? uplink.gateway_v4 : uplink.gateway_v6) = g;
  }
  using Use = UplinkConfig::Use;
  uplink.use = reader
                   .get<Use>("use", "expected regular or backup",
                             one_of<Use>({{"regular", Use::kRegular}, {"backup", Use::kBackup}}))
                   .value_or(Use::kRegular);
  uplink.congestion_control = read_algorithm(reader);
  if (auto cost = reader.get<std::uint32_t>("cost", "expected a number from 0 to 1000000",
                                            number<std::uint32_t, 0, 1'000'000>)) {
    uplink.cost = *cost;
  }
  if (auto both = reader.get<Rates>("rate", kRatesExpected, rates)) {
    uplink.rate_up = both->up;
    uplink.rate_down = both->down;
  }
  reader.finish();
  return uplink;
}

void read_lan(ConfigReader reader, GatewayConfig& config) {
  const auto interfaces =
      reader.get_list<std::string>("interfaces", kInterfaceExpected, interface_name);
  using Capture = GatewayConfig::Capture;
  config.capture =
      reader
          .get<Capture>(
              "capture", "expected forwarded or local",
              one_of<Capture>({{"forwarded", Capture::kForwarded}, {"local", Capture::kLocal}}))
          .value_or(Capture::kForwarded);
  if (interfaces) config.lan_interfaces = *interfaces;
  if (config.lan_interfaces.empty() && config.capture == Capture::kForwarded) {
    reader.fail("interfaces", "is missing: name the LAN interfaces to capture from");
  }
  reader.finish();
}

void read_overflow(ConfigReader reader, sched::OverflowGate::Settings& overflow) {
  if (auto share = reader.get<double>("share", "expected a percentage from 1% to 100%", percent)) {
    overflow.share = *share;
  }
  if (auto time = reader.get<Duration>("open_after", kDurationExpected, duration)) {
    overflow.open_after = *time;
  }
  if (auto time = reader.get<Duration>("close_after", kDurationExpected, duration)) {
    overflow.close_after = *time;
  }
  reader.finish();
}

void read_concentrator_address(ConfigReader reader, GatewayConfig& config) {
  const auto addresses = reader.get_list<wire::IpAddress>(
      "address", "expected an IP address, or a list of one per family",
      [](const std::string& text) { return wire::IpAddress::parse(text); });
  if (!addresses || addresses->empty())
    reader.fail("address", "is missing: where is the concentrator?");
  for (const wire::IpAddress& a : *addresses) {
    auto& slot = a.is_v4() ? config.concentrator_v4 : config.concentrator_v6;
    if (slot)
      reader.fail("address", "has two addresses of one family; expected one of each at most");
    slot = a;
  }
  if (auto port = reader.get<std::uint16_t>("port", "expected a port from 1 to 65535",
                                            number<std::uint16_t, 1, 65535>)) {
    config.concentrator_port = *port;
  }
  reader.finish();
}

}  // namespace

GatewayConfig parse_gateway_config(const std::string& text, const std::string& file) {
  ConfigReader top(file, parse_yaml(text, file), "");
  GatewayConfig config;
  config.tun.ipv4 = *wire::InterfaceAddress::parse("198.18.255.253/30");
  config.tun.ipv6 = *wire::InterfaceAddress::parse("fd62:7261:6964:1::1/64");
  read_common(top, config);
  read_lan(top.section("lan"), config);
  std::vector<ConfigReader> uplinks = top.sections("uplinks");
  for (ConfigReader& reader : uplinks) {
    const UplinkConfig uplink = read_uplink(reader);
    for (const UplinkConfig& other : config.uplinks) {
      if (other.name == uplink.name) reader.fail("name", "is the name of another uplink already");
      if (other.interface == uplink.interface) {
        reader.fail("interface", "is the interface of another uplink already");
      }
    }
    config.uplinks.push_back(uplink);
  }
  read_concentrator_address(top.section("concentrator"), config);
  if (auto range = top.get<PortRange>("ports", "expected a range like 61000-61999", port_range)) {
    config.first_port = range->first;
    config.last_port = range->last;
  }
  config.nat_timeout =
      top.get<Duration>("nat_timeout", "expected a time from 10s to 86400s", nat_timeout)
          .value_or(config.nat_timeout);
  using Other = GatewayConfig::OtherTraffic;
  config.other_traffic =
      top.get<Other>(
             "other_traffic", "expected follow or leave_alone",
             one_of<Other>({{"follow", Other::kFollow}, {"leave_alone", Other::kLeaveAlone}}))
          .value_or(Other::kFollow);
  read_overflow(top.section("overflow"), config.overflow);
  top.finish();
  return config;
}

ConcentratorConfig parse_concentrator_config(const std::string& text, const std::string& file) {
  ConfigReader top(file, parse_yaml(text, file), "");
  ConcentratorConfig config;
  config.tun.ipv4 = *wire::InterfaceAddress::parse("198.18.255.129/26");
  config.tun.ipv6 = *wire::InterfaceAddress::parse("fd62:7261:6964:2::1/64");
  read_common(top, config);
  ConfigReader listen = top.section("listen");
  auto interface = listen.get<std::string>("interface", kInterfaceExpected, interface_name);
  if (!interface) listen.fail("interface", "is missing: where do gateways come in?");
  config.listen_interface = *interface;
  if (auto port = listen.get<std::uint16_t>("port", "expected a port from 1 to 65535",
                                            number<std::uint16_t, 1, 65535>)) {
    config.listen_port = *port;
  }
  listen.finish();
  if (auto allow = top.get_list<wire::Prefix>(
          "allow", "expected networks like 192.0.2.0/24",
          [](const std::string& word) { return wire::Prefix::parse(word); })) {
    config.allow = *allow;
  }
  ConfigReader targets = top.section("targets");
  if (targets.get<bool>("private", "expected true or false", yes_or_no).value_or(false)) {
    config.private_targets = ConcentratorConfig::PrivateTargets::kServe;
  }
  targets.finish();
  if (auto pending =
          top.get<std::uint32_t>("max_pending_per_client", "expected a number from 1 to 65535",
                                 number<std::uint32_t, 1, 65535>)) {
    config.max_pending_per_client = *pending;
  }
  top.finish();
  return config;
}

GatewayConfig load_gateway_config(const std::string& path) {
  return parse_gateway_config(read_file(path), path);
}

ConcentratorConfig load_concentrator_config(const std::string& path) {
  return parse_concentrator_config(read_file(path), path);
}

Role role_of(const std::string& text, const std::string& file) {
  const YAML::Node root = parse_yaml(text, file);
  if (root["uplinks"].IsDefined()) return Role::kGateway;
  if (root["listen"].IsDefined()) return Role::kConcentrator;
  throw ConfigError(file, 1, 1, "",
                    "expected \"uplinks\" (a gateway) or \"listen\" (a concentrator)");
}

}  // namespace braid::gateway
