#include "platform/host_settings.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace braid::platform {

namespace {

// A directory of plain files in the place of /proc/sys.
class FakeProc {
 public:
  FakeProc() {
    std::string name = (std::filesystem::temp_directory_path() / "braid-proc-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    root = name;
  }
  ~FakeProc() { std::filesystem::remove_all(root); }

  void put(const std::string& key, const std::string& value) const {
    const auto path = std::filesystem::path(root) / key;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << value << '\n';
  }
  std::string at(const std::string& key) const {
    std::ifstream file(std::filesystem::path(root) / key);
    std::string line;
    std::getline(file, line);
    return line;
  }

  std::string root;
};

}  // namespace

TEST_SUITE_BEGIN("platform");
TEST_CASE("a setting is changed and put back, however often it was set") {
  FakeProc proc;
  proc.put("a", "old");
  {
    HostSettings settings(proc.root);
    CHECK_FALSE(settings.set("a", "new"));
    CHECK(proc.at("a") == "new");
    CHECK_FALSE(settings.set("a", "newer"));
    CHECK(proc.at("a") == "newer");
  }
  CHECK(proc.at("a") == "old");
}

TEST_CASE("what somebody else changed in the meantime is left alone") {
  FakeProc proc;
  proc.put("a", "0");
  proc.put("b", "0");
  HostSettings settings(proc.root);
  CHECK_FALSE(settings.set("a", "1"));
  CHECK_FALSE(settings.set("b", "1"));
  proc.put("a", "7");
  settings.restore();
  CHECK(proc.at("a") == "7");
  CHECK(proc.at("b") == "0");
}

TEST_CASE("a setting that already has its value is not ours to restore") {
  FakeProc proc;
  proc.put("a", "1");
  HostSettings settings(proc.root);
  CHECK_FALSE(settings.set("a", "1"));
  proc.put("a", "1");
  settings.restore();
  CHECK(proc.at("a") == "1");
}

TEST_CASE("a setting that does not exist is an error, not a new file") {
  FakeProc proc;
  HostSettings settings(proc.root);
  CHECK(settings.set("missing", "1") == std::errc::no_such_file_or_directory);
  CHECK_FALSE(std::filesystem::exists(proc.root + "/missing"));
}

TEST_CASE("a port range joins the list in order and merges with what it touches") {
  const PortRange range{61000, 61999};
  CHECK(with_port_range("", range) == "61000-61999");
  CHECK(with_port_range("22,8000-8010,65000", range) == "22,8000-8010,61000-61999,65000");
  CHECK(with_port_range("60000-61500,62000", range) == "60000-62000");
  CHECK(with_port_range("61000-61999", range) == "61000-61999");
  CHECK(with_port_range("61100", range) == "61000-61999");
  CHECK(with_port_range("", {8803, 8803}) == "8803");
  CHECK(with_port_range("65535", {65000, 65534}) == "65000-65535");
}

TEST_CASE("a host is prepared, keeps listening to router advertisements, and is left as it was") {
  FakeProc proc;
  proc.put("net/ipv4/ip_forward", "0");
  proc.put("net/ipv6/conf/all/forwarding", "0");
  proc.put("net/ipv6/conf/wan1/accept_ra", "1");
  proc.put("net/ipv6/conf/wan2/accept_ra", "0");
  proc.put("net/ipv4/conf/wan1/arp_ignore", "0");
  proc.put("net/ipv4/conf/wan2/arp_ignore", "2");
  proc.put("net/ipv4/conf/braid0/rp_filter", "1");
  proc.put("net/ipv4/ip_local_reserved_ports", "22");
  {
    HostSettings settings(proc.root);
    CHECK(
        prepare_host(settings,
                     {.uplinks = {"wan1", "wan2"}, .tun = "braid0", .local_ports = {61000, 61999}})
            .empty());
    CHECK(proc.at("net/ipv4/ip_forward") == "1");
    CHECK(proc.at("net/ipv6/conf/all/forwarding") == "1");
    CHECK(proc.at("net/ipv6/conf/wan1/accept_ra") == "2");
    CHECK(proc.at("net/ipv6/conf/wan2/accept_ra") == "0");
    CHECK(proc.at("net/ipv4/conf/wan1/arp_ignore") == "1");
    CHECK(proc.at("net/ipv4/conf/wan2/arp_ignore") == "2");
    CHECK(proc.at("net/ipv4/conf/braid0/rp_filter") == "2");
    CHECK(proc.at("net/ipv4/ip_local_reserved_ports") == "22,61000-61999");
  }
  CHECK(proc.at("net/ipv4/ip_forward") == "0");
  CHECK(proc.at("net/ipv6/conf/all/forwarding") == "0");
  CHECK(proc.at("net/ipv6/conf/wan1/accept_ra") == "1");
  CHECK(proc.at("net/ipv4/conf/wan1/arp_ignore") == "0");
  CHECK(proc.at("net/ipv4/conf/braid0/rp_filter") == "1");
  CHECK(proc.at("net/ipv4/ip_local_reserved_ports") == "22");
}

TEST_CASE("what cannot be set is named in one line that says what to do") {
  FakeProc proc;
  proc.put("net/ipv4/conf/braid0/rp_filter", "1");
  proc.put("net/ipv4/ip_local_reserved_ports", "");
  HostSettings settings(proc.root);
  const auto advice =
      prepare_host(settings, {.uplinks = {}, .tun = "braid0", .local_ports = {61000, 61999}});
  REQUIRE(advice.size() == 1);
  CHECK(advice[0].find("sysctl -w net.ipv4.ip_forward=1") != std::string::npos);
  CHECK(advice[0].find('\n') == std::string::npos);
}

TEST_CASE("a dropping forward chain is answered with the commands that open it for the TUN") {
  const auto advice = forward_drop_advice({"ip filter FORWARD"}, "braid0");
  REQUIRE(advice.size() == 1);
  CHECK(advice[0].find("nft insert rule ip filter FORWARD iifname \"braid0\" accept") !=
        std::string::npos);
  CHECK(advice[0].find("oifname \"braid0\" accept") != std::string::npos);
}
TEST_SUITE_END();

}  // namespace braid::platform
