// HostSettings: kernel settings braid changes, each restored when it goes, and those it only names.
//
// A setting is a file under /proc/sys. One that somebody else changed in the meantime is left as it
// is. After a kill -9 the settings stay: all of them are harmless by themselves.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "platform/packet_filter.h"
#include "platform/result.h"

namespace braid::platform {

class HostSettings {
 public:
  // `root`: where the settings lie, ending without a slash.
  explicit HostSettings(std::string root = "/proc/sys") : root_(std::move(root)) {}
  HostSettings(const HostSettings&) = delete;
  HostSettings& operator=(const HostSettings&) = delete;
  ~HostSettings() { restore(); }

  // The value without its line end. `key` is a path: "net/ipv4/ip_forward".
  Result<std::string> get(const std::string& key) const;
  // Remembers the former value of the first call. Does not write what is there already.
  std::error_code set(const std::string& key, const std::string& value);
  // Puts everything back, the latest change first.
  void restore();

 private:
  struct Change {
    std::string key;
    std::string before;
    std::string ours;
  };
  std::error_code write(const std::string& key, const std::string& value) const;

  std::string root_;
  std::vector<Change> changes_;
};

// A list of ports as ip_local_reserved_ports has it ("22,8000-8010"), with this range in it.
std::string with_port_range(std::string_view list, PortRange range);

struct HostNeeds {
  std::vector<std::string> uplinks;  // outside interfaces, of either role
  std::string tun;
  PortRange local_ports;
};

// Forwarding on (IPv6: with router advertisements still accepted on the uplinks), each of several
// uplinks answering ARP for its own addresses only, a loose reverse path filter on the TUN, our
// ports kept from the kernel's own sockets. Returns one line for each thing that could not be set,
// which says what to do by hand.
std::vector<std::string> prepare_host(HostSettings& settings, const HostNeeds& needs);

// One line for each chain that drops forwarded packets by policy (nft_table.h finds them).
std::vector<std::string> forward_drop_advice(const std::vector<std::string>& chains,
                                             const std::string& tun);

}  // namespace braid::platform
