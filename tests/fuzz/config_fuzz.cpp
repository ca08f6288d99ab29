// fuzz-libraries: braid_gateway

// Configuration text, for either role and for telling them apart: it is read or refused with a
// ConfigError that says one line; nothing of the YAML library's gets out.
#include <string>

#include "gateway/config.h"
#include "stack/base/ensure.h"

using namespace braid;
using namespace braid::gateway;

namespace {

template <typename Read>
void read(Read&& read_it) {
  try {
    read_it();
  } catch (const ConfigError& error) {
    const std::string line = error.what();
    ENSURE(line.rfind("fuzz.yaml", 0) == 0);
  }
}

void check(const CommonConfig& config) {
  ENSURE(config.memory_bytes > 0);
  ENSURE(config.tun.mtu >= 1280 && config.tun.mtu <= 65535);
  ENSURE(config.tun.ipv4.address.is_v4() && !config.tun.ipv6.address.is_v4());
  ENSURE(!config.tun.name.empty() && config.tun.name.size() < 16);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  read([&] {
    const GatewayConfig config = parse_gateway_config(text, "fuzz.yaml");
    check(config);
    ENSURE(!config.uplinks.empty());
    ENSURE(config.concentrator_v4 || config.concentrator_v6);
    ENSURE(config.concentrator_port != 0 && config.first_port <= config.last_port);
  });
  read([&] {
    const ConcentratorConfig config = parse_concentrator_config(text, "fuzz.yaml");
    check(config);
    ENSURE(!config.listen_interface.empty() && config.listen_port != 0);
  });
  read([&] { role_of(text, "fuzz.yaml"); });
  return 0;
}
