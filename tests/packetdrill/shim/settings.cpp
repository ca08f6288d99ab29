#include "tests/packetdrill/shim/settings.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>

namespace braid::pd {
namespace {

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

std::vector<std::string> sysctl(const std::string& name) {
  std::ifstream file("/proc/sys/net/" + name);
  std::string line;
  std::getline(file, line);
  return words_of(line);
}

// Leaves `out` alone when there is no such number.
template <typename T>
void read_number(const std::string& name, T& out, std::size_t column = 0) {
  const auto words = sysctl(name);
  if (words.size() <= column) return;
  std::istringstream in(words[column]);
  std::uint64_t value = 0;
  if (in >> value) out = static_cast<T>(value);
}

std::vector<std::string> lines_of_command(const char* command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command, "r"), ::pclose);
  std::vector<std::string> lines;
  if (!pipe) return lines;
  std::array<char, 512> line{};
  while (std::fgets(line.data(), line.size(), pipe.get()) != nullptr)
    lines.emplace_back(line.data());
  return lines;
}

}  // namespace

Settings read_sysctls() {
  Settings out;
  read_number("ipv4/tcp_timestamps", out.timestamps);
  read_number("ipv4/tcp_sack", out.sack);
  read_number("ipv4/tcp_window_scaling", out.window_scaling);
  read_number("ipv4/tcp_ecn", out.ecn);
  read_number("ipv4/tcp_fastopen", out.fastopen);
  read_number("ipv4/tcp_rmem", out.rmem_default, 1);
  read_number("ipv4/tcp_rmem", out.rmem_max, 2);
  read_number("ipv4/tcp_wmem", out.wmem_default, 1);
  read_number("ipv4/tcp_wmem", out.wmem_max, 2);
  read_number("ipv4/tcp_syn_retries", out.syn_retries);
  read_number("ipv4/tcp_synack_retries", out.synack_retries);
  read_number("ipv4/tcp_syn_linear_timeouts", out.syn_linear_timeouts);
  read_number("ipv4/tcp_keepalive_time", out.keepalive_time_s);
  read_number("ipv4/tcp_notsent_lowat", out.notsent_lowat);
  read_number("ipv4/tcp_slow_start_after_idle", out.slow_start_after_idle);
  read_number("ipv4/tcp_min_tso_segs", out.min_tso_segments);
  read_number("mptcp/enabled", out.mptcp_enabled);
  read_number("mptcp/checksum_enabled", out.mptcp_checksums);
  read_number("mptcp/close_timeout", out.mptcp_close_timeout_s);
  read_number("mptcp/syn_retrans_before_tcp_fallback", out.mptcp_syn_retries);
  read_number("mptcp/blackhole_timeout", out.mptcp_blackhole_timeout_s);
  bool joins_allowed = true;
  read_number("mptcp/allow_join_initial_addr_port", joins_allowed);
  out.mptcp_joins_denied = !joins_allowed;
  if (const auto key = sysctl("ipv4/tcp_fastopen_key"); !key.empty()) out.fastopen_key = key[0];
  // Where cubic is not allowed, a script that asked for it was refused: what is set is the
  // machine's.
  const auto name = sysctl("ipv4/tcp_congestion_control");
  const auto allowed = sysctl("ipv4/tcp_allowed_congestion_control");
  const bool free = std::find(allowed.begin(), allowed.end(), "cubic") != allowed.end();
  if (!name.empty() && free) out.congestion_control = name[0];
  return out;
}

Settings standard_settings() {
  Settings out;
  out.ecn = 0;
  out.slow_start_after_idle = false;
  out.fastopen = 0x403;
  out.fastopen_key = "a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4";
  out.rmem_default = 540000;
  out.rmem_max = 15U << 20;
  out.wmem_default = 256U << 10;
  out.syn_retries = out.synack_retries = 5;
  out.mptcp_subflow_limit = out.mptcp_add_addr_limit = 8;
  return out;
}

// The plain form of `ip mptcp`, one endpoint a line: "192.0.2.1 [port N] id 1 signal subflow dev
// x".
void read_mptcp_settings(Settings& settings) {
  settings.endpoints.clear();
  for (const std::string& line : lines_of_command("ip mptcp endpoint show 2>/dev/null")) {
    const auto words = words_of(line);
    const auto address = words.empty() ? std::nullopt : wire::IpAddress::parse(words[0]);
    if (!address) continue;
    MptcpEndpoint endpoint{.address = *address};
    for (std::size_t i = 1; i < words.size(); ++i) {
      const bool has_value = i + 1 < words.size();
      if (words[i] == "id" && has_value) {
        endpoint.id = static_cast<std::uint8_t>(std::atoi(words[i + 1].c_str()));
      } else if (words[i] == "port" && has_value) {
        endpoint.port = static_cast<std::uint16_t>(std::atoi(words[i + 1].c_str()));
      }
      endpoint.signal = endpoint.signal || words[i] == "signal";
      endpoint.subflow = endpoint.subflow || words[i] == "subflow";
      endpoint.backup = endpoint.backup || words[i] == "backup";
    }
    settings.endpoints.push_back(endpoint);
  }
  for (const std::string& line : lines_of_command("ip mptcp limits show 2>/dev/null")) {
    const auto words = words_of(line);
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
      const auto value = static_cast<std::uint32_t>(std::atoi(words[i + 1].c_str()));
      if (words[i] == "subflows") settings.mptcp_subflow_limit = value;
      if (words[i] == "add_addr_accepted") settings.mptcp_add_addr_limit = value;
    }
  }
}

std::uint8_t window_scale_for(std::uint64_t receive_memory) {
  const int bits = std::bit_width(receive_memory);
  return static_cast<std::uint8_t>(std::clamp(bits - 16, 0, 14));
}

}  // namespace braid::pd
