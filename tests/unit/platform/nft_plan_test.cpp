#include "platform/nft_plan.h"

#include <doctest/doctest.h>

#include "platform/nft_table.h"

namespace braid::platform {

namespace {

GatewayNftPlan gateway_plan() {
  return {.lan_interfaces = {"lan0"},
          .uplinks = {"wan1", "wan2"},
          .concentrators = {*IpAddress::parse("203.0.113.5"), *IpAddress::parse("2001:db8::5")},
          .concentrator_port = 8803,
          .local_ports = {61000, 61999},
          .mark = 0x42};
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_SUITE_BEGIN("platform");
TEST_CASE("the gateway's table reads as designed") {
  CHECK(nft_text(gateway_plan()) ==
        R"(table inet braid {
  flags owner;
}
delete table inet braid
table inet braid {
  flags owner;
  chain quiet {
    type filter hook prerouting priority raw;
    iifname { "wan1", "wan2" } fib daddr type local ip saddr 203.0.113.5 tcp sport 8803 tcp dport 61000-61999 drop
    iifname { "wan1", "wan2" } fib daddr type local ip6 saddr 2001:db8::5 tcp sport 8803 tcp dport 61000-61999 drop
  }
  chain capture {
    type filter hook prerouting priority mangle;
    iifname { "lan0" } tcp flags & (syn|ack|rst|fin) == syn ct state new fib daddr type != local ct mark set 0x42
    iifname { "lan0" } ct mark 0x42 ct direction original meta mark set 0x42
    iifname { "lan0" } meta l4proto { 1, 58 } ct state related ct mark 0x42 meta mark set 0x42
  }
  chain source {
    type nat hook postrouting priority srcnat;
    oifname { "wan1", "wan2" } fib saddr . oif type != local masquerade
  }
}
)");
}

TEST_CASE("draining takes away only the rule for new connections") {
  auto plan = gateway_plan();
  const std::string whole = nft_text(plan);
  plan.new_connections = GatewayNftPlan::NewConnections::kLeave;
  const std::string draining = nft_text(plan);
  const auto start = whole.find("    iifname { \"lan0\" } tcp flags");
  REQUIRE(start != std::string::npos);
  const auto end = whole.find('\n', start) + 1;
  CHECK(draining == whole.substr(0, start) + whole.substr(end));
}

TEST_CASE(
    "without concentrators our ports are quiet for every source, from any port if none is "
    "given") {
  auto plan = gateway_plan();
  plan.concentrators.clear();
  plan.concentrator_port.reset();
  const std::string text = nft_text(plan);
  CHECK(has(text,
            "iifname { \"wan1\", \"wan2\" } fib daddr type local tcp dport 61000-61999 drop\n"));
  CHECK_FALSE(has(text, "saddr 203"));
  CHECK_FALSE(has(text, "sport"));
}

TEST_CASE("chains without anything to do are left out") {
  auto plan = gateway_plan();
  plan.lan_interfaces.clear();
  plan.masquerade = GatewayNftPlan::Masquerade::kNone;
  const std::string text = nft_text(plan);
  CHECK(has(text, "chain quiet"));
  CHECK_FALSE(has(text, "chain capture"));
  CHECK_FALSE(has(text, "chain source"));
}

TEST_CASE("the concentrator is quiet on its port and masquerades what its TUN sends elsewhere") {
  ConcentratorNftPlan plan{.listen_interface = "eth0", .listen_port = 8803, .tun = "braid0"};
  const std::string text = nft_text(plan);
  CHECK(has(text, "    iifname \"eth0\" fib daddr type local tcp dport 8803 drop\n"));
  CHECK(has(text, "    iifname \"braid0\" oifname != \"braid0\" masquerade\n"));
  CHECK_FALSE(has(text, "capture"));
  plan.masquerade = ConcentratorNftPlan::Masquerade::kNone;
  CHECK_FALSE(has(nft_text(plan), "masquerade"));
}

TEST_CASE("only forward chains whose policy is drop are named") {
  const std::string listing = R"(table ip filter {
	chain INPUT {
		type filter hook input priority filter; policy drop;
	}

	chain FORWARD {
		type filter hook forward priority filter; policy drop;
	}
}
table inet fw4 {
	chain forward {
		type filter hook forward priority filter; policy accept;
	}
	chain jumped {
	}
	chain late {
		type filter hook forward priority 10; policy drop;
	}
}
)";
  const auto found = parse_forward_drop_chains(listing);
  REQUIRE(found.size() == 2);
  CHECK(found[0] == "ip filter FORWARD");
  CHECK(found[1] == "inet fw4 late");
  CHECK(parse_forward_drop_chains("").empty());
}
TEST_SUITE_END();

}  // namespace braid::platform
