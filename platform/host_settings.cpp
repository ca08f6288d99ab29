#include "platform/host_settings.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "platform/fd.h"

namespace braid::platform {

Result<std::string> HostSettings::get(const std::string& key) const {
  UniqueFd file(::open((root_ + '/' + key).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return last_error();
  std::string value;
  std::array<char, 4096> part{};
  for (;;) {
    const ssize_t n = ::read(file.get(), part.data(), part.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      return last_error();
    }
    if (n == 0) break;
    value.append(part.data(), static_cast<std::size_t>(n));
  }
  while (!value.empty() && value.back() == '\n') value.pop_back();
  return value;
}

std::error_code HostSettings::write(const std::string& key, const std::string& value) const {
  // Truncated, because a test's settings are plain files; /proc does not care.
  UniqueFd file(::open((root_ + '/' + key).c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  if (!file) return last_error();
  const std::string line = value + '\n';
  const ssize_t n = ::write(file.get(), line.data(), line.size());
  if (n < 0) return last_error();
  return static_cast<std::size_t>(n) == line.size() ? std::error_code() : system_error(EIO);
}

std::error_code HostSettings::set(const std::string& key, const std::string& value) {
  const auto before = get(key);
  if (!before) return before.error();
  if (*before == value) return {};
  if (const auto error = write(key, value)) return error;
  const auto known = std::find_if(changes_.begin(), changes_.end(),
                                  [&](const Change& change) { return change.key == key; });
  // As the kernel spells it, which need not be as we wrote it.
  const auto now = get(key);
  const std::string ours = now ? *now : value;
  if (known != changes_.end()) {
    known->ours = ours;
  } else {
    changes_.push_back({key, *before, ours});
  }
  return {};
}

void HostSettings::restore() {
  for (auto change = changes_.rbegin(); change != changes_.rend(); ++change) {
    const auto now = get(change->key);
    // Gone with its interface, or somebody else's by now.
    if (!now || *now != change->ours) continue;
    static_cast<void>(write(change->key, change->before));
  }
  changes_.clear();
}

namespace {

std::optional<PortRange> parse_range(std::string_view text) {
  const auto number = [](std::string_view digits) -> std::optional<std::uint16_t> {
    std::uint16_t value = 0;
    const char* last = digits.data() + digits.size();
    const auto [end, error] = std::from_chars(digits.data(), last, value);
    if (error != std::errc() || end != last) return std::nullopt;
    return value;
  };
  const auto dash = text.find('-');
  const auto first = number(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : number(text.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  return PortRange{*first, *last};
}

}  // namespace

std::string with_port_range(std::string_view list, PortRange range) {
  std::vector<PortRange> ranges{range};
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    if (const auto one = parse_range(list.substr(0, comma))) ranges.push_back(*one);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  std::sort(ranges.begin(), ranges.end());
  std::vector<PortRange> merged;
  for (const PortRange one : ranges) {
    if (!merged.empty() && one.first <= merged.back().last + 1) {
      merged.back().last = std::max(merged.back().last, one.last);
    } else {
      merged.push_back(one);
    }
  }
  std::string text;
  for (const PortRange one : merged) {
    if (!text.empty()) text += ',';
    text += one.first == one.last ? fmt::format("{}", one.first)
                                  : fmt::format("{}-{}", one.first, one.last);
  }
  return text;
}

std::vector<std::string> prepare_host(HostSettings& settings, const HostNeeds& needs) {
  std::vector<std::string> advice;
  const auto want = [&](const std::string& key, const std::string& value) {
    if (const auto error = settings.set(key, value)) {
      std::string name = key;
      std::replace(name.begin(), name.end(), '/', '.');
      advice.push_back(fmt::format("cannot set {0} ({1}); do it by hand: sysctl -w {0}={2}", name,
                                   error.message(), value));
    }
  };
  want("net/ipv4/ip_forward", "1");
  const bool has_ipv6 = static_cast<bool>(settings.get("net/ipv6/conf/all/forwarding"));
  if (has_ipv6) {
    // Before forwarding goes on: with it, 1 means router advertisements are no longer listened to,
    // and an uplink would lose its address and its default route.
    for (const std::string& uplink : needs.uplinks) {
      const std::string key = "net/ipv6/conf/" + uplink + "/accept_ra";
      const auto value = settings.get(key);
      if (value && *value == "1") want(key, "2");
    }
    want("net/ipv6/conf/all/forwarding", "1");
  }
  // Two uplinks in one subnet: without it each answers ARP for the other's address as well, and all
  // that comes in comes by the one that answered last.
  if (needs.uplinks.size() > 1) {
    for (const std::string& uplink : needs.uplinks) {
      const std::string key = "net/ipv4/conf/" + uplink + "/arp_ignore";
      const auto value = settings.get(key);
      if (value && *value == "0") want(key, "1");
    }
  }
  // The larger of this and `all` counts, so 2 is loose whatever `all` says.
  want("net/ipv4/conf/" + needs.tun + "/rp_filter", "2");
  const std::string reserved = "net/ipv4/ip_local_reserved_ports";
  const auto present = settings.get(reserved);
  want(reserved, with_port_range(present ? *present : "", needs.local_ports));
  return advice;
}

std::vector<std::string> forward_drop_advice(const std::vector<std::string>& chains,
                                             const std::string& tun) {
  std::vector<std::string> advice;
  for (const std::string& chain : chains) {
    advice.push_back(fmt::format(
        "chain {0} drops forwarded packets by policy; allow the TUN: "
        "nft insert rule {0} iifname \"{1}\" accept; nft insert rule {0} oifname \"{1}\" accept",
        chain, tun));
  }
  return advice;
}

}  // namespace braid::platform
